"""From files to a Dataset: one file a format."""
