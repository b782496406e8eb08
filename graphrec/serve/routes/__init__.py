"""What the service answers to, a file for each kind of question."""
