"""Kinds of events, and what one event of a kind says: bought, viewed, rated, taken out of the cart, disliked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

ValueMeaning: TypeAlias = Literal["none", "rating", "count", "dwell"]
LONGEST = 10.0  # times the usual dwell, beyond which more says no more: somebody left the page open

# what one event says, by its usual names in lower case without separators; a purchase is the unit
WEIGHTS: dict[str, float] = {
    **dict.fromkeys(("purchase", "order", "buy", "transaction", "sale", "checkout", "rent"), 1.0),
    **dict.fromkeys(("rating", "review", "interaction", "event", "play", "listen", "watch", "read", "checkin"), 1.0),
    **dict.fromkeys(("like", "star", "thumbsup", "follow", "subscribe", "favorite", "favourite", "share"), 1.0),
    **dict.fromkeys(("cart", "addtocart", "basket", "wishlist", "bookmark", "save"), 0.5),
    **dict.fromkeys(("view", "click", "detail", "pageview", "impressionclick", "pv"), 0.25),
    **dict.fromkeys(("removefromcart", "unlike", "unfollow", "skip"), -0.5),
    **dict.fromkeys(("dislike", "thumbsdown", "hide", "block", "return", "refund", "report"), -1.0),
    **dict.fromkeys(("impression", "shown", "notclicked"), 0.0),
}
OPINIONS = frozenset(("like", "dislike", "thumbsup", "thumbsdown", "star", "unlike", "block", "hide"))


@dataclass(frozen=True)
class Kind:
    """One kind of event of a source.

    Args:
        name: as people call it ("order", "view", "review").
        weight: what one event without a value says, signed; a dislike is below 0, 0 says nothing.
        values: what the value of an event is: none at all, a ``rating`` on ``scale``, a ``count`` (plays, pieces), or a
            ``dwell``, for how long an item was looked at.
        scale: the ends of the ratings' scale, both included; of a dwell the usual one, and the longest that counts, in
            the unit of the values.
        disliked_to: ratings up to this are dislikes; None takes the lower two of five stars, or as much of the scale.
    """

    name: str = "interaction"
    weight: float = 1.0
    values: ValueMeaning = "none"
    scale: tuple[float, float] | None = None
    disliked_to: float | None = None

    @cached_property
    def outright(self) -> bool:
        """Whether an event is an opinion, so that the latest one counts and not how many there are."""
        return self.values == "rating" or plain(self.name) in OPINIONS


def weight_of(name: str) -> float | None:
    """What one event of a kind with this name says, None where the name is not known."""
    return WEIGHTS.get(plain(name))


SCALES = ((1.0, 5.0), (0.5, 5.0), (0.0, 5.0), (1.0, 10.0), (0.0, 10.0), (0.0, 1.0), (-1.0, 1.0), (0.0, 100.0))
STEPS = 21  # distinct values up to which a column of numbers is a scale


def scale_of(values: Iterable[float]) -> tuple[float, float]:
    """The narrowest usual scale that holds all these ratings; their own span where none does."""
    found = np.asarray(list(values), np.float64)
    low, high = float(found.min()), float(found.max())
    whole = bool((found == np.floor(found)).all())
    fits = [s for s in SCALES if s[0] <= low and high <= s[1] and (whole or s[0] != 1.0)]
    wide = [s for s in fits if high > 1 or s[1] <= 1]
    return min(wide, key=lambda s: (s[1] - s[0], -s[0]), default=(low, high))


def usual_kind(values: npt.NDArray[np.float32], name: str = "interaction") -> Kind:
    """The kind of events whose values (E,) nobody has described: ratings on a scale of few steps, else counts.

    One and the same value for all says nothing.
    """
    distinct = np.unique(values[~np.isnan(values)])
    if len(distinct) < 2:
        return Kind(name)
    low, high = float(distinct[0]), float(distinct[-1])
    scale = scale_of(distinct)
    if scale in SCALES and high == scale[1] and len(distinct) <= STEPS:
        return Kind(name, values="rating", scale=scale)
    return Kind(name, values="count") if low >= 0 else Kind(name, values="rating", scale=(low, high))


def plain(name: str) -> str:
    """A name as ``WEIGHTS`` has it: "Add_to-Cart" is addtocart."""
    return "".join(c for c in name.lower() if c.isalnum())
