"""The demo: annotates genes offline, and kills a worker meanwhile."""
