"""The door: every row is checked here, once, and every row and column that is not used is named."""
