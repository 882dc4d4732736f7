"""Wake-ups: arq jobs that tell a worker that a run is ready."""
