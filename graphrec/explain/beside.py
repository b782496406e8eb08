"""What is told beside what two items share: another thing that they share, and what a reviewer praises of the item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from graphrec.explain.finding import Finding
from graphrec.explain.links import Bridges, Links
from graphrec.explain.quotes import Said
from graphrec.types import Step
from kg.names import split

SOUGHT = 5


def also(links: Links, bridges: Bridges, f: Finding, b: int | None, others: Sequence[int]) -> Finding:
    """With the first of ``others``, bridges between the same two items over what more than reviews speaks of, that says
    something else in other words; of another kind than ``b`` before one of the same.

    ``b`` is the bridge that ``f`` goes over, None where it goes over somebody's words. Nothing is added to what is
    known from reviews but has no quote.
    """

    def known(c: int) -> bool:
        """Over one relation, neither by the judgement of reviews nor over a third item."""
        near, far = int(bridges.near[c]), int(bridges.far[c])
        if links.is_item(int(bridges.node[c])):
            return False
        return near != far and len(_kinds(links, bridges, c)) == 1 and not links.judged(far)

    if not f.entity or not (f.evidence.source or (b is not None and known(b))):
        return f
    here, words = _kinds(links, bridges, b) if b is not None else set(), _words(f.entity)
    fit = [c for c in others if c != b and known(c) and not _alike(words, _words(links.label(int(bridges.node[c]))))]
    if not fit:
        return f
    c = min(fit, key=lambda c: _kinds(links, bridges, c) == here)
    near, far = links.step(int(bridges.near[c])), links.step(int(bridges.far[c]))
    path = (f.evidence.path[0], near, far, far, near, *f.evidence.path[1:])  # there and back first
    more = links.relation(int(bridges.near[c])), links.label(int(bridges.node[c]))
    return replace(f, evidence=replace(f.evidence, path=path), also=more)


def alike(
    links: Links,
    bridges: Bridges,
    eligible: npt.NDArray[np.bool_],
    history: Mapping[int, float],
    said: Mapping[int, Sequence[Said]],
    disliked: AbstractSet[int],
) -> bool:
    """Whether a sentence praises of the item what reviewers praise of one of the SOUGHT history items that add most to
    its score (item → what it adds) too: that is told before what a stranger praises."""
    most = sorted((item for item, share in history.items() if share > 0), key=lambda item: -history[item])[:SOUGHT]
    for b in np.flatnonzero(np.isin(bridges.start, most) & eligible).tolist():
        node, near, far = int(bridges.node[b]), int(bridges.near[b]), int(bridges.far[b])
        judged = near != far and links.judged(near) and links.judged(far) and node not in disliked
        if judged and min(links.tone[near], links.tone[far]) > 0 and any(s.triple == far for s in said.get(node, ())):
            return True
    return False


def commended(links: Links, f: Finding, aspect: int) -> Finding:
    """With what reviewers praise of the item by triple ``aspect``, where there is no sentence to be quoted and this is
    not told anyway."""
    label = links.label(int(links.graph.triples[aspect, 2]))
    if label == f.entity:
        return f
    reviews = (f.reviews[0], links.reviews(aspect))
    return replace(f, evidence=replace(f.evidence, path=_over(links, f, aspect)), praised=label, reviews=reviews)


def praised(links: Links, f: Finding, said: Said, told: bool) -> Finding:
    """With what a reviewer praises of the item: by itself, or, where something else is ``told``, after that."""
    path, label = _over(links, f, said.triple), links.label(said.node)
    evidence = replace(f.evidence, path=path, source=said.source)
    if told:
        return replace(f, evidence=evidence, praised=label)
    return replace(f, evidence=evidence, entity=label, worth=said.fit)


def _over(links: Links, f: Finding, triple: int) -> tuple[Step, ...]:
    """The path to an aspect of the item and back; what is shared is at the end."""
    ways, over = f.evidence.path, f.evidence.path[-2:] if f.entity else ()
    step = links.step(triple)
    return (*ways, step, step, *over[::-1], *over)


def _kinds(links: Links, bridges: Bridges, b: int) -> set[str]:
    return {links.step(int(triple)).relation for triple in (bridges.near[b], bridges.far[b])}


def _words(label: str) -> set[str]:
    return {word.removesuffix("s") for *_, word in split(label)}


def _alike(some: set[str], others: set[str]) -> bool:
    """Whether names are nearly the same: at least half of the words of the shorter one are in the other."""
    return 2 * len(some & others) >= max(1, min(len(some), len(others)))
