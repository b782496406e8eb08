"""What an answer lacks, and what does not work meanwhile: a code for programs, and what it means in words."""

from __future__ import annotations

import math

CLOSE = 1e-4  # relative; up to which two scores are the same
LOST = {
    "encoder": "the words that were asked for were not heard: the text encoder does not work",
    "index": "the index does not work, so everything was compared one by one",
    "popularity": "the profiles do not work, so this is what is popular with everyone",
    "blocks": "what each block adds is not known",
    "knowledge": "the knowledge graph does not work, so no paths are told",
    "evidence": "evidence cannot be told now; what each block adds can",
    "store": "the store does not answer; what came in since may be missing",
    "record": "answers are not recorded",
    "items": "what was said of some items could not be taken in",
}


def lost(what: str) -> str:
    """The line of what is lost, its code before it."""
    return f"{what}: {LOST.get(what, 'a part of the service does not work')}"


def close(first: float, second: float, size: float = 0.0) -> bool:
    """Whether two scores are the same, ``size`` being what they are parts of."""
    return math.isclose(first, second, rel_tol=CLOSE, abs_tol=CLOSE * max(1.0, abs(size)))
