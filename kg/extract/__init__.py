"""What a text says: spans of entities and aspects, by spaCy or a neural model, and how aspects are judged."""
