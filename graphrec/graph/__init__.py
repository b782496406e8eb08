"""From a Dataset and a knowledge graph to sparse matrices and PyG graphs."""
