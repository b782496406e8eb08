"""Finding the best items for a profile."""
