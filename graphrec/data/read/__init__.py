"""Readers: one file for each format, each with ``NAME``, ``matches(source)`` and ``read(source)``."""
