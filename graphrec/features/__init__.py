"""Frozen text features: an encoder, and a cache on disk so that no text is embedded twice."""
