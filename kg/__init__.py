"""Knowledge graphs out of reviews, metadata and external triples, with the source of every triple."""
