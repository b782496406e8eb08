"""Knowledge graphs out of reviews, metadata and external triples, with the source of every triple.

::

    build  relations                            the way from reviews, metadata and external triples to a graph
    extract/       link/        rdf/            text → spans;  spans → entities;  a graph ⇄ RDF, SPARQL, SHACL
    draw  validate  store                       what is done with a graph
    graph  polarity  names  text  types  errors what all of them share

Imports go down only; no wing imports another, and nothing here imports graphrec.
"""
