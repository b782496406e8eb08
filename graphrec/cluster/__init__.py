"""Where work that falls into batches is done: here, or by the workers of a cluster."""
