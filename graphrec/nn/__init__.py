"""Neural layers and losses. They see tensors only: no ids, no datasets, no files."""
