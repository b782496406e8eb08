"""What a model knows of one person, for the person themselves: interests, likes and dislikes, when, and like whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphrec.data.attributes import Column
from graphrec.data.points import item_points
from graphrec.explain.habits import day_of, habits, sessions
from graphrec.explain.interests import Interest, Labels, over_time
from graphrec.explain.names import FRIEND, STRANGER
from graphrec.explain.said import said
from graphrec.explain.say import speaking
from graphrec.explain.usual import usual_places
from graphrec.model.asked import as_id, at_most, one, unheard
from graphrec.model.learned import Learned
from graphrec.query.fading import DAY
from graphrec.query.query import Queries
from graphrec.query.ties import row
from graphrec.types import Ints

SHOWN = 10  # interests, likes and dislikes, by default
EXAMPLES = 3  # events that each comes from
SURE = 0.9  # from which a label that somebody takes, or dislikes, is told as one that they like, or not
TWICE = 2  # items that a label is liked, or disliked, by: one may have it by chance
LIKELY = 0.5  # from which a label is an interest: more likely than not they take it more often than people do
PIECES = 12  # of a history, for what it was over time
TOP = 6  # interests shown over time
NEIGHBOURS = 5


def portrait(
    model: Learned,
    user_id: Any = None,
    limit: int = SHOWN,
    history: Sequence[Any] = (),
    moment: int | None = None,
    **context: Any,
) -> dict[str, Any]:
    """The JSON document of ``graphrec profile``; see ``Recommender.profile``. ``moment``: the second up to which days
    without an event are counted, the question's by default, which is the log's last where none is told."""
    query, limit = one(model, user_id, history, **context), at_most(limit)
    with speaking(model.spoken):
        labels = model.labels
        told = _Events(model, query)
        theirs = int(query.user_nums[0]) >= 0 or context.get("told") is not None
        dated = told.spans_days and theirs  # a basket is taken now, which tells nothing
        found = labels.interests(told.liked)
        interests = [i for i in found if i.sure >= LIKELY]
        degraded = list(unheard(model, context))
        if not len(told.items):
            code, known = ("no_history", True) if int(query.user_nums[0]) >= 0 else ("unknown_user", False)
            what = "nothing this user took and liked is known" if known else "no history is known of this user"
            degraded.append(model.reason(code, what))
        elif not found:
            degraded.append(model.reason("no_labels", "nothing is known of what this user took"))
        likes, dislikes = _opinions(model, query, told, found)
        return {
            "user_id": user_id if user_id is None else as_id(user_id),
            "events": len(told.items),
            "interests": [_interest(told, i) for i in interests[:limit]],
            "other": {
                "interests": round(sum(i.share for i in found) - sum(i.share for i in interests[:limit]), 6),
                "unknown": round(float(1 - sum(i.share for i in found)) if len(told.liked) else 0.0, 6),
            },
            "likes": likes[:limit],
            "dislikes": dislikes[:limit],
            "behaviour": habits(told.times, int(query.now[0]) if moment is None else moment, dated),
            "sessions": _sessions(model, told) if dated else {},
            "places": usual_places(item_points(model.data)[told.items], told.times if dated else None),
            "over_time": _over_time(labels, told, interests) if dated else [],
            "friends": _friends(model, query),
            "neighbours": _neighbours(model, query),
            "known": _known(model, query),
            "model_version": model.version,
            "degraded": degraded,
        }


class _Events:
    """The events of one person in order, with their times where these are known."""

    def __init__(self, model: Learned, query: Queries) -> None:
        ordered = query.ordered()
        there = ordered.items[0] >= 0
        self.model = model
        self.items: Ints = ordered.items[0][there]
        self.times: Ints | None = None if ordered.times is None else ordered.times[0][there]
        self.liked: Ints = row(query.liked, 0)
        self.known: Ints = row(query.seen, 0)
        self.disliked: Ints = np.setdiff1d(self.known, self.liked)
        stamps = model.data.events.timestamps
        self.spans_days = stamps is not None and len(stamps) > 0 and int(stamps.max() - stamps.min()) >= DAY
        self.last = {}
        if self.times is not None and self.spans_days:
            self.last = dict(zip(self.items.tolist(), self.times.tolist(), strict=True))

    def rated(self, user: int) -> set[int]:
        """The items of which the log holds a rating by this user."""
        log = self.model.data.events
        rows = np.flatnonzero((log.user_nums == user) & ~np.isnan(log.values))
        return {int(log.item_nums[n]) for n in rows.tolist() if log.kind_table[log.kinds[n]].values == "rating"}

    def example(self, item: int, part: float | None = None) -> dict[str, Any]:
        """An event as a source: which item, when, and its part of a share."""
        links = self.model.explainer.links
        title = str(self.model.data.item_titles[item]) or links.title(item)
        out: dict[str, Any] = {"item_id": self.model.data.items.ids[item], "title": title}
        if item in self.last:
            out["date"] = day_of(self.last[item])
        return out if part is None else out | {"share": round(part, 6)}


def _interest(told: _Events, i: Interest) -> dict[str, Any]:
    return {
        "label": i.label,
        "share": round(i.share, 6),
        "kind": i.kind,
        "sure": round(i.sure, 4),
        "items": i.taken,
        "usual": round(i.usual, 6),
        "from": [told.example(item, part) for item, part in i.parts[:EXAMPLES]],
    }


def _opinions(
    model: Learned, query: Queries, told: _Events, found: list[Interest]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is liked and disliked: in the person's own words first, then by what they took and rated."""
    user = int(query.user_nums[0])
    own = said(model.graph, model.data.users.ids[user]) if user >= 0 else []
    likes, dislikes = ([s for s in own if s["sign"] == sign] for sign in (1, -1))
    likes += [_opinion(told, i, "taken") for i in found if i.sure >= SURE and i.taken >= TWICE]
    rated = model.labels.disliked(told.known, told.disliked)
    dislikes += [_opinion(told, i, "rating") for i in rated if i.sure >= SURE and i.taken >= TWICE]
    for item in told.disliked[::-1].tolist():
        example = told.example(item)
        dislikes.append({"label": example["title"], "kind": "item", "by": "rating", "from": [example]})
    if len(told.disliked) and not likes:  # they rate, and what they took tells no label: what they rated well, then
        reviewed, newest = told.rated(user), dict.fromkeys(told.items[::-1].tolist())  # each item once
        well = [item for item in newest if item in set(told.liked.tolist())]
        for item in sorted(well, key=lambda item: item not in reviewed):
            example, by = told.example(item), "rating" if item in reviewed else "taken"
            likes.append({"label": example["title"], "kind": "item", "by": by, "from": [example]})
    against = {s["label"].casefold() for s in own if s["sign"] < 0}
    likes = [s for s in likes if s["by"] != "taken" or s["label"].casefold() not in against]
    return [_unsigned(s) for s in likes], [_unsigned(s) for s in dislikes]


def _opinion(told: _Events, i: Interest, by: str) -> dict[str, Any]:
    sources = [told.example(item) for item, _ in i.parts[:EXAMPLES]]
    return {"label": i.label, "kind": i.kind, "sure": round(i.sure, 4), "by": by, "from": sources}


def _unsigned(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name != "sign"}


def _sessions(model: Learned, told: _Events) -> dict[str, Any]:
    """How many there were, and what was taken in the last one, the newest first."""
    out = sessions(told.times, model.ties.pause)
    if out:
        newest = told.items[len(told.items) - out["last"]["events"] :][::-1]
        out["last"]["items"] = [told.example(item) for item in newest[:SHOWN].tolist()]
    return out


def _over_time(labels: Labels, told: _Events, interests: list[Interest]) -> list[dict[str, Any]]:
    """The shares of the first interests in pieces of the history of equally many events, from first to last."""
    if told.times is None or len(told.items) < 2 or not interests:
        return []
    liked = np.isin(told.items, told.liked)
    items, times = told.items[liked], told.times[liked]
    top = interests[:TOP]
    begins, shares = over_time(labels, items, times, [i.number for i in top], PIECES)
    once = Counter(i.label for i in top)
    names = [i.label if once[i.label] == 1 else f"{i.label} ({i.kind})" for i in top]
    named = [{name: round(float(s), 6) for name, s in zip(names, piece, strict=True)} for piece in shares]
    return [{"from": day_of(int(t)), "shares": piece} for t, piece in zip(begins.tolist(), named, strict=True)]


def _friends(model: Learned, query: Queries) -> dict[str, Any]:
    """How many they hear, and those with whom they share most; named are only those that may be."""
    heard = query.friends.indices.astype(np.int64)
    return {"count": len(heard), "closest": _people(model, query, heard, FRIEND)} if len(heard) else {"count": 0}


def _neighbours(model: Learned, query: Queries) -> list[dict[str, Any]]:
    """The people with the most alike profiles, by cosine."""
    everybody = np.setdiff1d(np.flatnonzero(~model.ties.cold), query.user_nums)
    return _people(model, query, everybody, STRANGER) if query.liked.nnz and model.ties.tell else []


def _people(model: Learned, query: Queries, among: Ints, role: str) -> list[dict[str, Any]]:
    """Those of ``among`` whose profiles are most alike, named or marked, and how many items both like. Of strangers who
    are not named no more is told than holds for as many of them as may be told of, and nothing where they are fewer."""
    own = model.profiles.encode(query)[0][0]
    users = model.users[among]
    lengths = np.linalg.norm(users, axis=1) * float(np.linalg.norm(own))
    cosine = np.divide(users @ own, lengths, out=np.zeros(len(among), np.float32), where=lengths > 0)
    both = np.asarray(model.ties.matrix[among] @ query.liked.T.toarray()).ravel()
    heard = set(query.friends.indices.tolist())
    order, least = np.lexsort((among, -both, -cosine)), model.ties.together if role == STRANGER else 1
    most = np.sort(both)[::-1]
    out: list[dict[str, Any]] = []
    for place, at in enumerate(order[:NEIGHBOURS].tolist()):
        other, like, shared = model.data.users.ids[int(among[at])], cosine[at], both[at]
        if not (named := model.names.named(other, int(among[at]) in heard)):
            if least > len(among):
                continue
            like, shared = cosine[order[max(place, least - 1)]], min(shared, most[least - 1])
        who = other if named else f"{role}-{len(out) + 1}"
        out.append({"user_id": who, "likeness": round(float(like), 4), "in_common": int(shared)})
    return out


def _known(model: Learned, query: Queries) -> dict[str, list[str]]:
    """The attributes of the person that may be told: none that is sensitive, unless the configuration names it."""
    user = int(query.user_nums[0])
    rows = model.data.user_attributes
    rows = rows[(rows["user_num"] == user).to_numpy()]
    allowed = model.config.kg.sensitive
    columns = {c.name: c for c in model.data.user_columns}
    out: dict[str, list[str]] = {}
    for key, value in zip(rows["key"].tolist(), rows["value"].tolist(), strict=True):
        if _may(columns.get(key), key, allowed):
            out.setdefault(str(key), []).append(str(value))
    return out


def _may(column: Column | None, key: str, allowed: Sequence[str]) -> bool:
    """# No sensitive attribute is told, whatever else is."""
    return column is not None and (not column.sensitive or key in allowed)
