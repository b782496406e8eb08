"""Between retrieval and the answer: filters over attributes, and re-rankers that follow one protocol."""

from graphrec.rerank.api import Candidates, Reranker, answer, apply, moves, wanted
from graphrec.rerank.attributes import AttributeTable
from graphrec.rerank.filters import Filter
from graphrec.rerank.registry import parse, parse_all, resolve

__all__ = [
    "AttributeTable",
    "Candidates",
    "Filter",
    "Reranker",
    "answer",
    "apply",
    "moves",
    "parse",
    "parse_all",
    "resolve",
    "wanted",
]
