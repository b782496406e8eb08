"""A small world with planted reasons, and makers of others like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from graphrec.data.dataset import Dataset, build
from graphrec.data.events import Events
from graphrec.data.tables import no_reviews, review_id
from graphrec.explain import Explainer
from graphrec.profile.dense import ProfileBlock
from graphrec.profile.profiles import Profiles
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.types import Explanation, Floats, Vocabulary
from kg.graph import MENTION_COLUMNS, PROVENANCE_COLUMNS, KnowledgeGraph
from kg.types import ExternalTriples


@dataclass(frozen=True)
class Fact:
    """One source of one triple; with a review, the surface form in it and its polarity."""

    head: str
    relation: str
    tail: str
    review: str = ""
    surface: str = ""
    polarity: float = 0.0


def graph_of(facts: Sequence[Fact], texts: dict[str, str], labels: dict[str, str] | None = None) -> KnowledgeGraph:
    """A KnowledgeGraph that holds exactly these facts."""
    labels = labels or {}
    ids = sorted({node for fact in facts for node in (fact.head, fact.tail)})
    number = {node: n for n, node in enumerate(ids)}
    relations = tuple(sorted({fact.relation for fact in facts}))
    keys = sorted({(number[f.head], relations.index(f.relation), number[f.tail]) for f in facts})
    provenance, mentions = [], []
    polarity: list[list[float]] = [[] for _ in keys]
    for f in facts:
        row = keys.index((number[f.head], relations.index(f.relation), number[f.tail]))
        start = texts[f.review].index(f.surface) if f.review else -1
        end = start + len(f.surface) if f.review else -1
        polarity[row].append(f.polarity)
        provenance.append((row, "review" if f.review else "metadata", f.review, start, end))
        if f.review:
            mentions.append((number[f.tail], f.review, start, end, f.surface, f.polarity))
    entities = pd.DataFrame(
        {
            "entity": ids,
            "label": [labels.get(i, i.partition(":")[2].replace("-", " ") or i) for i in ids],
            "type": [i.partition(":")[0] for i in ids],
        }
    )
    return KnowledgeGraph(
        entities,
        relations,
        np.array(keys, np.int64).reshape(-1, 3),
        np.array([len(p) for p in polarity], np.float32),
        np.array([np.mean(p) for p in polarity], np.float32),
        pd.DataFrame(provenance, columns=PROVENANCE_COLUMNS),
        pd.DataFrame(mentions, columns=MENTION_COLUMNS),
        texts,
    )


TOOK = {
    "ann": ["strings", "tuner", "cable"],
    "bob": ["strings", "capo"],
    "cid": ["strings", "tuner", "capo", "cable", "pick"],
    "dee": ["capo", "pick"],
    "eve": ["pick"],  # held out: in training eve has no history
    "flo": ["lamp"],
}
TITLES = {
    "strings": "Slinky &amp; Co",
    "tuner": 'Snark "SN1"',
    "capo": "Spring Capo",
    "cable": "Red Cable",
    "lamp": "Lamp",
}
SAYS = {
    ("ann", "strings"): "I love how these hold drop-D tuning. The box was late.",
    (
        "bob",
        "capo",
    ): "Sturdy. Works wonders even in drop-D tuning &amp; it holds on to the neck! My dog likes it too.",
    ("cid", "capo"): "The padding is awful and it peels off after a week. Otherwise fine.",
    ("dee", "capo"): "In drop-D tuning it buzzes.",
    ("cid", "tuner"): "Its padding is thin.",
}


def world() -> Dataset:
    """Five users with training interactions, one (eve) without; ann and dee are friends, eve and dee too."""
    rows = [(u, i, 1.0, SAYS.get((u, i), "")) for u, items in TOOK.items() for i in items]
    data = build(
        "world",
        pd.DataFrame(rows, columns=["user_id", "item_id", "value", "text"]),
        items=pd.DataFrame({"item_id": list(TITLES), "title": list(TITLES.values())}),
        friends=pd.DataFrame({"user_id": ["ann", "eve"], "friend_id": ["dee", "dee"]}),
    )
    return data.subset(data.interactions.user_nums != data.users.number("eve"))


def said(user: str, item: str) -> str:
    return review_id(user, item)


def judged(user: str, item: str, aspect: str, surface: str, polarity: float, review: str = "") -> list[Fact]:
    """What a review that judges an aspect says of its item and of its writer."""
    source = (aspect, review or said(user, item), surface, polarity)
    taste = "likes" if polarity > 0 else "dislikes"
    relations = ((f"item:{item}", "has_aspect"), (f"user:{user}", "mentions"), (f"user:{user}", taste))
    return [Fact(head, relation, *source) for head, relation in relations]


def knowledge() -> KnowledgeGraph:
    """What the reviews of the small world say."""
    tuning, padding = "aspect:drop-d-tuning", "aspect:padding"
    facts = [
        *judged("ann", "strings", tuning, "drop-D tuning", 0.8),
        *judged("bob", "capo", tuning, "drop-D tuning", 0.9),
        Fact("item:capo", "has_aspect", tuning, said("dee", "capo"), "drop-D tuning", -0.4),
        *judged("cid", "capo", padding, "padding", -0.9),
        *judged("cid", "tuner", padding, "padding", -0.3),
        Fact("item:capo", "made_by", "brand:acme"),
        Fact("item:cable", "made_by", "brand:acme"),
    ]
    texts = {said(*pair): text for pair, text in SAYS.items()}
    labels = {tuning: "drop-D tuning", "brand:acme": "Acme"} | {f"item:{i}": t for i, t in TITLES.items()}
    return graph_of(facts, texts, labels)


class Undivided(ProfileBlock):
    """A block whose scores are not divided by their deviation, so that a planted share is what it was planted as."""

    def _deviations(self, raw: Floats) -> Floats:
        return np.ones(len(raw), np.float32)


def sums(data: Dataset, history: np.ndarray, friend_weight: float) -> np.ndarray:
    """What linear blocks promise before the deviation, by loops over users and friends: (U, d)."""
    taken = np.zeros((data.n_users, data.n_items))
    taken[data.interactions.user_nums, data.interactions.item_nums] = 1
    out = np.zeros((data.n_users, history.shape[1]))
    for u in range(data.n_users):
        friends = data.social_edge_index[1][data.social_edge_index[0] == u]
        out[u] = (taken[u] + (friend_weight * taken[friends].mean(axis=0) if len(friends) else 0.0)) @ history
    return out


def scales(users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """1 / deviation of each user's scores over the catalogue (U,), from the scores themselves; 0 where it is 0."""
    deviations = (users @ items.T).std(axis=1)
    out: np.ndarray = np.divide(1.0, deviations, out=np.zeros_like(deviations), where=deviations > 1e-9)
    return out


def linear_block(
    data: Dataset, history: np.ndarray, items: np.ndarray, friend_weight: float, weight: float = 1.0
) -> ProfileBlock:
    """A block whose users are the sum that a linear block promises, at unit deviation."""
    users = sums(data, history, friend_weight)
    users = scales(users, items)[:, None] * users
    return ProfileBlock(f"linear{weight:g}", users, items, weight, history, True, friend_weight=friend_weight)


def undivided(data: Dataset, history: np.ndarray, items: np.ndarray, friend_weight: float = 0.0) -> ProfileBlock:
    """The same without the deviation."""
    users = sums(data, history, friend_weight)
    return Undivided("linear1", users, items, 1.0, history, True, friend_weight=friend_weight)


def counted(data: Dataset, worth: dict[str, float], friend_weight: float = 0.0) -> Profiles:
    """One-dimensional linear profiles: history item j adds worth[j] to the score of every item."""
    history = np.array([[worth.get(i, 0.0)] for i in data.items.ids])
    return Profiles((undivided(data, history, np.ones((data.n_items, 1)), friend_weight),))


def stored(ties: Ties, user: str | int) -> Queries:
    """The query of one user, by id or number, as the data knows them."""
    return Queries.stored(ties, np.array([ties.data.users.number(user) if isinstance(user, str) else user]))


def explained(explainer: Explainer, user: str | int, item: str | int, limit: int = 5, **how: Any) -> Explanation:
    """The explanation of a pair of users and items, by id or number."""
    data = explainer.data
    user_id = user if isinstance(user, str) else data.users.ids[user]
    item_num = data.items.number(item) if isinstance(item, str) else item
    return explainer.explain(stored(explainer.ties, user), user_id, item_num, limit, **how)


def random_world(seed: int, users: int = 7, items: int = 9) -> Dataset:
    """Random interactions and friendships; some users have neither."""
    rng = np.random.default_rng(seed)
    taken = np.argwhere(rng.random((users, items)) < 0.3)
    a, b = np.argwhere(np.triu(rng.random((users, users)) < 0.25, 1)).T
    empty = pd.DataFrame()
    return Dataset(
        name="random",
        users=Vocabulary((f"u{n}" for n in range(users)), "user"),
        items=Vocabulary((f"i{n}" for n in range(items)), "item"),
        events=Events.of(taken[:, 0], taken[:, 1]),
        social_edge_index=np.stack([np.r_[a, b], np.r_[b, a]]),
        reviews=no_reviews(),
        item_titles=np.full(items, "", object),
        item_text=np.full(items, "", object),
        user_text=np.full(users, "", object),
        item_attributes=empty,
        user_attributes=empty,
        external=ExternalTriples(),
    )


def random_graph(seed: int, data: Dataset, size: int = 60) -> KnowledgeGraph:
    """Random facts about the items and users of a Dataset: reviewed, from metadata, item to item, entity to item."""
    rng = np.random.default_rng(seed)
    things = [f"aspect:a{n}" for n in range(6)] + ["brand:b0", "brand:b1", "m.01", "user:u0", "user:u3"]
    items = [f"item:{i}" for i in (*data.items.ids[:-1], "elsewhere")]  # one item is not in the graph
    facts, texts = [], {}
    for n in range(size):
        head, other = rng.choice(items), rng.choice([*things, *items])
        match rng.integers(5):
            case 0:
                facts.append(Fact(other, "external", head))
            case 1:
                facts.append(Fact(head, rng.choice(["made_by", "has_key"]), other))
            case 2 if other.startswith("aspect:"):
                texts[f"r{n}"] = f"Some words. This {other[7:]} here. More words {n}."
                facts.append(Fact(f"user:u{n % 7}", "mentions", other, f"r{n}", other[7:], rng.uniform(-1, 1)))
            case _ if other.startswith("aspect:"):
                texts[f"r{n}"] = f"Some words {n}! And so this {other[7:]} is what it is. More."
                facts.append(Fact(head, "has_aspect", other, f"r{n}", other[7:], rng.uniform(-1, 1)))
    return graph_of(facts, texts, {"aspect:a5": "aspect:a5", "m.01": "m.01"})
