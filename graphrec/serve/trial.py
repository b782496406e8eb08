"""A model on trial: for a share of people, always the same ones, it answers, or its lists are interleaved."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from graphrec.evaluate.trial import team_draft
from graphrec.serve.version import Version

TEAMS = ("a", "b")  # the model that answers, and the one on trial


class Trial(NamedTuple):
    """A model on trial for a share of people; ``interleaved``: its lists are merged with those of the one before."""

    version: Version
    share: float
    interleaved: bool = False

    def has(self, user_id: str | None, salt: str) -> bool:
        """Whether somebody is one of them; who is not known never is."""
        return user_id is not None and share_of(user_id, salt) < self.share

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return {"model_version": self.version.name, "share": self.share, "interleaved": self.interleaved}


def share_of(user_id: str, salt: str) -> float:
    """A number in [0, 1) that is always the same for somebody, spread evenly over people."""
    found = hashlib.blake2b(user_id.encode("utf-8", "surrogatepass"), key=salt.encode()[:64], digest_size=8).digest()
    return int.from_bytes(found, "big") / 2**64


def merged(versions: Sequence[Version], found: Sequence[tuple[dict[str, Any], Any]]) -> tuple[dict[str, Any], Any]:
    """Two answers to one question as one, and the item numbers, each of its own model, int64 (n,).

    Each item says whose it is (``team``, ``model_version``) and has the score of its own model; whose turn it was is
    drawn by the id of the answer, so that it can be done again.
    """
    (one, _), (other, _) = found
    lists = [{item["item_id"]: (item, num) for item, num in zip(d["items"], n.tolist(), strict=True)} for d, n in found]
    k = max(map(len, lists))
    items, nums = list[dict[str, Any]](), list[int]()
    drafted = team_draft(list(lists[0]), list(lists[1]), k, seed_of(one["recommendation_id"]))
    for rank, (item_id, team) in enumerate(zip(*drafted, strict=True), 1):
        at = TEAMS.index(team)
        item, num = lists[at][item_id]
        items.append({**item, "rank": rank, "team": team, "model_version": found[at][0]["model_version"]})
        nums.append(num)
    out = {
        **one,
        "degraded": list(dict.fromkeys([*one["degraded"], *other["degraded"]])),
        "items": items,
        "next_cursor": None,
        "interleaved": {team: version.base for team, version in zip(TEAMS, versions, strict=True)},
    }
    if "changes" in one:
        out["changes"] = [*one["changes"], *other.get("changes", ())]
    return out, np.array(nums, np.int64)


def seed_of(recommendation_id: str) -> int:
    """What the draw of an answer begins with."""
    return int.from_bytes(hashlib.blake2b(recommendation_id.encode(), digest_size=8).digest(), "big")
