"""Sentences worth quoting: whole ones in which a reviewer judges an aspect of the very item that they reviewed.

Which places in reviews judge an aspect is what the knowledge graph says: a place stands behind the item's aspect and
behind the reviewer's liking of it; or the place is well spoken of, and the short sentence speaks of nothing else, or
there is no such sentence on the item. A sentence is quoted only if it is whole and short (``kg.text``), if nothing else
that has a name stands in it, and if no word in it complains, or says that another thing is spoken of, or a wish.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.types import Ints, Source
from kg.graph import KnowledgeGraph
from kg.polarity import words_of
from kg.text import whole_sentence

LONGEST = 160  # characters of a quote
SHORT, LONG = 80, 150  # characters between which a sentence is neither curt nor wordy
ALONE = 100  # characters of one that speaks of nothing else
FAINT = 0.3  # an opinion in context, up to which a word neither praises nor complains
PLAIN = 0.7  # how well a sentence fits without a word of praise, against one with
CLEAR = 0.5  # polarity of a mention that is well spoken of
LEAST_FIT = 0.2  # sureness below which a sentence is not shown
_BEFORE = re.compile(
    r"\b(?:the|its?|this|these|great|good|nice|excellent|love|like|der|die|das|gute[rs]?)\s+(?:[\w-]+\s+)?$|"
    r"(?:的|这个|这款|[，。！；])$",
    re.IGNORECASE,
)
_ASIDE = re.compile(  # in passing, or of what is somebody's own: "looks great on the pedal board", "your hardware"
    r"\b(?:(?:above|against|around|at|behind|beside|between|from|in|into|near|of|off|on|onto|over|through|to|under)"
    r"\s+(?:an?|the|its?|this|these)|my|your|our|his|her|their)\s+(?:[\w-]+\s+)?$|"
    r"\bto\s+$",  # "easy to follow"
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s+(?:itself\s+)?(?:is|are|was|were|sounds?|looks?|feels?|works?|stays?|holds?|ist|sind|war|waren)\b|"
    r"\s*[也都还]?(?:很|非常|真|太|特别|挺|不错|好)",
    re.IGNORECASE,
)
_ENGLISH = re.compile(r"\b(?:the|is|are|it|its|this|and|of|to|with|very|I)\b", re.IGNORECASE)
_SAYING = re.compile(  # where the name of an aspect is none
    r"\b(?:nice|good|great|final|finishing|personal|added) touch|cover to cover|\b(?:extra|additional) costs?\b|"
    r"\bworth the (?:cost|price|money)\b|\bin good shape\b|\bwith (?:just )?an? simple\b",
    re.IGNORECASE,
)
_OF_ME = re.compile(r"\b(?:I|my|me|we|our|you|your)\b", re.IGNORECASE)
NAMES = ("brand", "item", "organisation", "person", "place", "product", "work")  # types of what has a name of its own
TASTES = {"likes": 1, "dislikes": -1}
_ELSEWHERE = re.compile(  # another thing is spoken of, or what is not so
    r"\b(?:than|compar\w+|unlike|versus|vs|instead|others?|another|elsewhere|previous\w*|used to|replac\w+|"
    r"(?:my|our|his|her|their|your) (?:old|other|last|first|current)|"
    r"wish\w*|if|unless|would|could|should|hop(?:e|ed|ing)|but|however|although|though|except|not|never|\w+n['’]t|"
    r"who|anyone|someone|people|about|websites?|amazon|deliver\w*|shipp\w+|arriv\w+|receiv\w+|order\w*|sellers?|vendors?|"
    r"(?:I|we) (?:have|had|own) an?|"
    r"purchas\w+|refund\w*|expect\w*|suppos\w+|need(?:ed)?|want(?:ed)?|look(?:ing|ed)? for|"
    r"ander\w+|als|statt|wenn|falls|wäre\w*|würde\w*|könnte\w*|sollte\w*)\b|"
    r"[?？]|别的|其他|其它|另|相比|比起|如果|要是|希望|以前|之前|吗",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that praises: of triple ``triple`` (item, aspect ``node``), by the user ``by``."""

    triple: int
    node: int
    by: int
    fit: float
    source: Source


class Quotes:
    """What can be quoted of each item, found when it is asked for and remembered.

    Attributes:
        praise, blame: int64 (T,), reviews that judge the aspect of a triple favourably, and the other way.
    """

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.graph = graph
        names = np.array(graph.relations, object)
        relation = graph.triples[:, 1]
        taste = np.array([TASTES.get(r, 0) for r in names], np.int64)[relation] if len(graph) else relation  # (T,)
        rows = graph.provenance[graph.provenance["source"] == "review"]
        triple = rows["triple"].to_numpy(np.int64)
        head, _, tail = graph.triples[triple].T if len(triple) else np.zeros((3, 0), np.int64)
        of = graph.entities["type"].to_numpy(object)
        places = pd.DataFrame(
            {
                "review": pd.factorize(rows["review_id"])[0],
                "start": rows["start"].to_numpy(np.int64),
                "end": rows["end"].to_numpy(np.int64),
                "node": tail,
                "row": np.arange(len(rows)),
                "triple": triple,
                "head": head,
                "taste": taste[triple],
            }
        )
        key = ["review", "start", "end", "node"]
        told = np.array([names[r] in (*TASTES, "mentions") for r in relation[triple]], bool)
        by_users = places[told].rename(columns={"head": "by"}).sort_values("taste", key=abs, ascending=False)
        by_users = by_users.drop_duplicates([*key, "by"])  # a taste before a mere mention
        of_items = places[(of[head] == "item") & (of[tail] == "aspect")]
        both = of_items[[*key, "row", "triple"]].merge(by_users[[*key, "by", "taste"]], on=key)
        both = both.drop_duplicates(["row", "by"]).sort_values(["triple", "review", "start"], kind="stable")
        once = both.drop_duplicates(["triple", "review", "taste"])
        sides = (once[once["taste"] == sign]["triple"] for sign in (1, -1))
        self.praise, self.blame = (np.bincount(side, minlength=len(graph)) for side in sides)
        at = both["row"].to_numpy(np.int64)
        self._triple: Ints = both["triple"].to_numpy(np.int64)
        self._by, self._taste = both["by"].to_numpy(np.int64), both["taste"].to_numpy(np.int64)
        self._review = rows["review_id"].to_numpy(object)[at]
        self._start, self._end = (rows[c].to_numpy(np.int64)[at] for c in ("start", "end"))
        self._index_mentions(of)
        well = np.array([self._taste[n] > 0 or self._polarity(n) >= CLEAR for n in range(len(at))], bool)
        self._praised = np.bincount(graph.triples[self._triple[well], 2], minlength=len(graph.entities))  # (N,)
        self._head = graph.triples[self._triple, 0]
        order = np.flatnonzero(well)
        self._order = order[np.argsort(self._head[order], kind="stable")]
        self._heads = self._head[self._order]
        self.of = lru_cache(maxsize=4096)(self._of)

    def _polarity(self, at: int) -> float:
        place = (self._start[at], self._end[at], self.graph.triples[self._triple[at], 2])
        return self._mentions.get(self._review[at], {}).get(place, 0.0)

    def _index_mentions(self, types: npt.NDArray[np.object_]) -> None:
        """Review → what stands where in it, (start, end, entity) → polarity; and which entities have names."""
        rows = self.graph.mentions
        self._is_name = np.isin(types, NAMES)
        self._mentions: dict[str, dict[tuple[int, int, int], float]] = {}
        columns = (rows[c].tolist() for c in ("review_id", "start", "end", "entity_num", "polarity"))
        for review, start, end, what, polarity in zip(*columns, strict=True):
            self._mentions.setdefault(review, {})[start, end, what] = polarity

    def tone(self, triple: int) -> int:
        """What reviewers of the item hold of the aspect: 1 where praise prevails, -1 where blame does, else 0."""
        praise, blame = int(self.praise[triple]), int(self.blame[triple])
        return (praise > 2 * blame) - (blame > praise)

    def _of(self, item_node: int, own: frozenset[int]) -> dict[int, list[Said]]:
        """Aspect → the sentences on it in reviews of one item, the best first; ``own``: names that are the item's."""
        rows = self._order[slice(*np.searchsorted(self._heads, [item_node, item_node + 1]))].tolist()
        found: dict[int, list[Said]] = {}
        for strict in (True, False):  # what is well spoken of in a sentence of more, where there is no better
            for at in () if found else rows:
                said = self._said(at, own, strict)
                if said is not None:
                    found.setdefault(said.node, []).append(said)
        return {node: sorted(those, key=lambda s: (-s.fit, s.source.review_id)) for node, those in found.items()}

    def _said(self, at: int, own: frozenset[int], strict: bool = True) -> Said | None:
        review, start, end = self._review[at], int(self._start[at]), int(self._end[at])
        text = self.graph.texts.get(review, "")
        span = whole_sentence(text, start, end, LONGEST) if 0 <= start < end <= len(text) else None
        if span is None:
            return None
        quote = text[slice(*span)]
        others = [
            what
            for first, last, what in self._mentions.get(review, {})
            if first < span[1] and last > span[0] and not (first < end and last > start)
        ]
        aside = _ASIDE.search(text, span[0], start)
        if (
            aside
            or _ELSEWHERE.search(quote)
            or _SAYING.search(quote)
            or any(self._is_name[what] and what not in own for what in others)
        ):
            return None
        subject = _BEFORE.search(text, span[0], start) or _AFTER.match(text, end, span[1])
        alone = subject and all(self._is_name[what] for what in others) and len(quote) <= ALONE
        triple, node = int(self._triple[at]), int(self.graph.triples[self._triple[at], 2])
        if strict and not self._taste[at] and not alone:
            return None  # what is good may be something else
        opinions = _opinions(quote)
        if opinions < 0 or not (strict or (opinions and (subject or self._taste[at]))):
            return None
        sure = self._sure(quote, subject is not None, triple, node) * (1.0 if opinions else PLAIN)
        fit = sure * _readable(quote)
        return Said(triple, node, int(self._by[at]), fit, Source(review, quote)) if sure >= LEAST_FIT else None

    def _sure(self, quote: str, subject: bool, triple: int, node: int) -> float:
        """How likely a sentence says what it is shown for, in (0, 1]."""
        known = 1 - 0.5 ** float(max(0, self._praised[node] - 1))  # praised once in all reviews: hardly an aspect
        often = 1 - 0.5 ** float(self.praise[triple] + 1)
        if not subject and _OF_ME.search(quote):
            return 0.0  # "I love to decorate with fresh color"
        return float(known * often * (1.0 if subject else 0.6) * (0.7 if _OF_ME.search(quote) else 1.0))


def _readable(quote: str) -> float:
    """How well a sentence reads by its length, in (0, 1]."""
    size = len(quote) + sum(char >= "⺀" for char in quote)  # a Chinese character says as much as two letters
    return max(0.4, min(1.0, size / SHORT)) * min(1.0, LONG / size)


def _opinions(quote: str) -> int:
    """1 where a sentence has words of praise alone, -1 where one complains, 0 where neither; 1 for what is no English,
    of which the words are not known."""
    if not _ENGLISH.search(quote):
        return 1
    scores = words_of(quote).scores
    return -1 if min(scores, default=0.0) < -FAINT else int(max(scores, default=0.0) > FAINT)
