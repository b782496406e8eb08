"""What is told beside what two items share: another thing that they share, and what a reviewer praises of the item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphrec.explain.finding import Finding
from graphrec.explain.links import Bridges, Links
from graphrec.explain.quotes import Said
from kg.names import split


def also(links: Links, bridges: Bridges, b: int, others: Sequence[int]) -> int | None:
    """The first of other bridges between the two items that bridge ``b`` links which says something else in other
    words, of another kind before one of the same; None where there is none or ``b`` is known from reviews."""

    def known(c: int) -> bool:
        """From one relation, and not from reviews' judgement alone."""
        return (
            bridges.near[c] != bridges.far[c]
            and len(_kinds(links, bridges, c)) == 1
            and not links.judged(bridges.far[c])
        )

    if not known(b):
        return None
    here, words = _kinds(links, bridges, b), _words(links, bridges, b)
    fit = [c for c in others if known(c) and not _alike(words, _words(links, bridges, c))]
    return min(fit, key=lambda c: _kinds(links, bridges, c) == here, default=None)


def praised(links: Links, f: Finding, said: Said, told: bool) -> Finding:
    """With what a reviewer praises of the item: by itself, or, where something else is ``told``, after that."""
    ways, over = f.evidence.path, f.evidence.path[-2:] if f.entity else ()
    step = links.step(said.triple)
    path = (*ways, step, step, *over[::-1], *over)  # to the aspect and back; what is shared is at the end
    evidence, label = replace(f.evidence, path=path, source=said.source), links.label(said.node)
    if told:
        return replace(f, evidence=evidence, praised=label)
    return replace(f, evidence=evidence, entity=label, worth=said.fit)


def _kinds(links: Links, bridges: Bridges, b: int) -> set[str]:
    return {links.step(int(triple)).relation for triple in (bridges.near[b], bridges.far[b])}


def _words(links: Links, bridges: Bridges, b: int) -> set[str]:
    return {word.removesuffix("s") for *_, word in split(links.label(int(bridges.node[b])))}


def _alike(some: set[str], others: set[str]) -> bool:
    """Whether names are nearly the same: at least half of the words of the shorter one are in the other."""
    return 2 * len(some & others) >= max(1, min(len(some), len(others)))
