"""Which form was linked to which entity, how and how surely: a list for people, and their corrections of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kg.link.entities import labels, surface
from kg.names import fold
from kg.types import Mention


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a form, as in the reviews, was linked; how (kg.link.forms), how surely in [0, 1], in how many mentions."""

    form: str
    entity: str
    type: str
    confidence: float
    how: str
    mentions: int


@dataclass(frozen=True, slots=True)
class Override:
    """What a person says that a form means; an empty entity: nothing. ``type`` and ``label`` may be empty."""

    entity: str
    type: str = ""
    label: str = ""


def choices(mentions: Sequence[Mention]) -> list[Choice]:
    """Every (form, entity) pair, by form; confidence and how are those of its surest mention."""
    counts = Counter((surface(m), m.entity, m.type) for m in mentions)
    best: dict[tuple[str, str, str], tuple[float, str]] = {}
    for m in mentions:
        key = (surface(m), m.entity, m.type)
        best[key] = max(best.get(key, (0.0, "")), (m.confidence, m.how))
    return [
        Choice(form, entity, type_, best[form, entity, type_][0], best[form, entity, type_][1], n)
        for (form, entity, type_), n in sorted(counts.items())
    ]


def overridden(
    mentions: Sequence[Mention], overrides: Mapping[str, Override], known: Mapping[str, str]
) -> tuple[list[Mention], dict[str, str]]:
    """The mentions with a person's corrections, and every entity's label.

    Args:
        known: entity → label, before.

    A form is looked up as it is written; failing that over case, hyphens and spaces, where that leaves one answer.
    """
    folded: defaultdict[str, set[Override]] = defaultdict(set)
    for form, override in overrides.items():
        folded[fold(form)].add(override)
    out = []
    for m in mentions:
        same = folded.get(fold(surface(m)), set())
        said = overrides.get(surface(m)) or (next(iter(same)) if len(same) == 1 else None)
        if said is None:
            out.append(m)
        elif said.entity:
            out.append(replace(m, entity=said.entity, type=said.type or m.type, how="override", confidence=1.0))
    types = {m.entity: m.type for m in out if m.how == "override"}
    out = [replace(m, type=types.get(m.entity, m.type)) for m in out]  # an entity has one type
    return out, {**labels(out), **known} | {o.entity: o.label for o in overrides.values() if o.label}
