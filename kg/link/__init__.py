"""Which entity each span means: by metadata, spelling, type, context, and a person's corrections."""
