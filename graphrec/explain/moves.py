"""That a re-ranker moved an item, in words: from which rank to which, and what score that costs."""

from __future__ import annotations

from graphrec.explain.say import decimal, say
from graphrec.types import Move

DIGITS = 3


def move_said(move: Move) -> str:
    """A sentence. What a move costs is told where it costs anything."""
    told = {"reranker": move.reranker, "before": move.before, "after": move.after}
    if not move.after:
        return say("The re-ranker {reranker} takes it out of the list, where it was at rank {before}.", **told)
    if not move.before:
        return say("The re-ranker {reranker} puts it at rank {after}, without which it is not in the list.", **told)
    price = decimal(abs(move.price), DIGITS)
    if move.after > move.before:
        return say("The re-ranker {reranker} moves it down from rank {before} to rank {after}.", **told)
    if move.price > 0:
        return say(
            "The re-ranker {reranker} moves it up from rank {before} to rank {after}, at a price of {price} in score.",
            **told,
            price=price,
        )
    return say("The re-ranker {reranker} moves it up from rank {before} to rank {after}, at no price.", **told)
