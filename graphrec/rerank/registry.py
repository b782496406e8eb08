"""Re-rankers by name: those of graphrec, and those of other packages."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points

from graphrec.errors import ConfigError
from graphrec.rerank.api import Reranker
from graphrec.rerank.attributes import nearest
from graphrec.rerank.boosts import Boost, Pin
from graphrec.rerank.calibration import Calibration
from graphrec.rerank.caps import Cap
from graphrec.rerank.diversity import Diversity
from graphrec.rerank.exposure import Exposure

GROUP = "graphrec.rerankers"
OWN: dict[str, type[Reranker]] = {
    "diversity": Diversity,
    "cap": Cap,
    "boost": Boost,
    "pin": Pin,
    "exposure": Exposure,
    "calibration": Calibration,
}


def resolve(name: str) -> type[Reranker]:
    """The re-ranker of a name, of graphrec or by the entry point of a package, which is imported only now.

    Raises ConfigError where there is none, where two packages bring one, and where one cannot be imported or is none.
    """
    others = {(point.value, point): point for point in entry_points(group=GROUP) if point.name == name}
    brought = sorted({value for value, _ in others})
    if len(brought) + (name in OWN) > 1:
        where = ", ".join([*(["graphrec"] if name in OWN else []), *brought])
        raise ConfigError(f"there are several re-rankers {name!r}: {where}; remove all packages but one")
    if name in OWN:
        return OWN[name]
    if not brought:
        known = [*OWN, *sorted(point.name for point in entry_points(group=GROUP))]
        raise ConfigError(f"there is no re-ranker {name!r}; {nearest(name, known)}")
    try:
        found = next(iter(others.values())).load()
    except Exception as error:
        says = " ".join(str(error).split())
        raise ConfigError(
            f"re-ranker {name!r} of {brought[0]} cannot be imported: {says}; repair the package"
        ) from error
    lacking = [what for what in ("read", "beyond", "rerank") if not callable(getattr(found, what, None))]
    if not isinstance(found, type) or lacking:
        raise ConfigError(
            f"{brought[0]} is no re-ranker: it is a class with read, beyond and rerank"
            + (f", and {', '.join(lacking)} lacks" if lacking else "")
        )
    return found


def parse(text: str) -> Reranker:
    """A re-ranker from ``diversity=0.3``, ``cap=brand:2``, ``boost=price < 10:0.5``, ``boost=organic:*2``, ``pin=A,B``,
    ``exposure=0.3``, ``calibration=genre:0.5``.

    Raises ConfigError.
    """
    name, equals, argument = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise ConfigError(f"{text!r} is no re-ranker; write name=argument, such as diversity=0.3 or cap=brand:2")
    return resolve(name.strip()).read(argument.strip())


def parse_all(texts: Iterable[str]) -> tuple[Reranker, ...]:
    """Several, applied in this order."""
    return tuple(parse(text) for text in texts)
