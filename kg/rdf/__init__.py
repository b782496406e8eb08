"""A graph as RDF: written, read and queried, checked by SHACL; dumps of others read and linked to items."""
