"""What executes runs, and takes over the runs of workers that died."""
