"""A run's work: which genes are due, the batches, the checks of what came, and the commits."""
