"""Blocks: each learns one view of every user and item, on its own. A score is the weighted sum over blocks."""
