"""An attribute by which people choose is kept, one that is dealt out at random is left out, and only training tells."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

import kg.graph
from graphrec.blocks.api import FitInputs
from graphrec.blocks.semantic import Semantic
from graphrec.config import Config
from graphrec.data.attributes import SENSITIVE
from graphrec.data.dataset import TEST, TRAIN, Dataset, build
from graphrec.features.encoder import TextEncoder, unit
from graphrec.features.text import TextFeatures, item_descriptions
from graphrec.fit import Fitting, learn_from
from graphrec.graph.hetero import hetero_graph
from graphrec.graph.names import ENTITY, ITEM, USER
from graphrec.graph.selection import WHY_NOT, selected
from graphrec.knowledge.adapter import knowledge_graph
from graphrec.profile.dense import ProfileBlock
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender
from graphrec.runtime import Runtime

N_USERS, N_ITEMS, TAKEN = 120, 80, 10


def _shop(by_taste: tuple[int, ...] = (TRAIN, TEST), n_items: int = N_ITEMS, seed: int = 0) -> Dataset:
    """Even users take even items in the parts ``by_taste``, and anything in the others; a price, a label and a city go
    by taste; stock, colour, street and shoe size by chance."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(N_USERS):
        for part in (TRAIN, TEST):
            likes = np.arange(user % 2, n_items, 2) if part in by_taste else np.arange(n_items)
            rows += [(f"u{user:03d}", f"i{i:03d}", part) for i in random.permutation(likes)[:TAKEN]]
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "part"]).drop_duplicates(["user_id", "item_id"])
    items = []
    for i in range(n_items):
        about = {
            "price": f"{random.uniform(10, 60) + 40 * (i % 2):.2f}",
            "organic": "yes" if random.random() < (0.8 if i % 2 else 0.2) else "no",
            "stock": str(random.integers(0, 40)),
            "colour": str(random.choice(["red", "green", "blue"])),
        }
        items += [(f"i{i:03d}", key, value) for key, value in about.items()]
        items += [(f"i{i:03d}", "tag", str(t)) for t in random.choice(["a", "b", "c", "d"], 2, replace=False)]
    users = []
    for u in range(N_USERS):
        about = {
            "city": ("Hamburg", "Ulm")[u % 2 if random.random() < 0.8 else 1 - u % 2],
            "shoe_size": str(random.integers(36, 47)),
            "street": str(random.choice(["Elm", "Oak", "Ash"])),
            "gender": "mf"[u % 2],
        }
        users += [(f"u{u:03d}", key, value) for key, value in about.items()]
    return build(
        "shop",
        events,
        item_attributes=pd.DataFrame(items, columns=["item_id", "key", "value"]),
        user_attributes=pd.DataFrame(users, columns=["user_id", "key", "value"]),
    )


@cache
def _judged(seed: int = 0) -> Dataset:
    return selected(_shop(seed=seed), seed=seed)


def _why_not(data: Dataset) -> dict[str, str]:
    return {c.name: c.why_not for c in (*data.item_columns, *data.user_columns)}


def test_what_people_choose_by_is_kept_and_what_is_random_is_left_out() -> None:
    for seed in range(3):
        assert _why_not(_judged(seed)) == {
            "price": "",
            "organic": "",
            "tag": "",  # neither lists
            "colour": "",  # nor categories of items are judged
            "stock": WHY_NOT["items"],
            "city": "",
            "street": WHY_NOT["users"],
            "shoe_size": WHY_NOT["users"],
            "gender": SENSITIVE,
        }


def test_only_training_rows_tell() -> None:
    fitting = Fitting(_quick().with_(kg={"enabled": False}), Runtime(), _no_texts)
    for by_taste, kept in (((TEST,), False), ((TRAIN,), True)):
        whole = _shop(by_taste)
        assert whole.parts is not None
        train = whole.subset(whole.parts == TRAIN)
        held_out = whole.subset(whole.parts == TEST)
        judged = learn_from(train, fitting)[0].train
        assert [_why_not(judged)[name] == "" for name in ("price", "city")] == [kept] * 2
        assert [_why_not(selected(held_out))[name] == "" for name in ("price", "city")] == [not kept] * 2


def test_a_small_catalogue_keeps_its_columns() -> None:
    small = _shop(n_items=40)
    assert {c.why_not for c in selected(small).item_columns} == {""}


def test_sensitive_columns_count_only_where_they_are_allowed() -> None:
    data = _shop()
    for allow, known in (((), False), (("gender",), True)):
        train = selected(data, allow)
        graph = knowledge_graph(train, Config().kg)
        assert ("has_gender" in graph.relations) is known
        assert (_why_not(train)["gender"] == "") is known
    graph = knowledge_graph(replace(data, user_columns=()), Config().kg)  # nothing said of the columns: the same
    assert "has_gender" not in graph.relations


def test_what_is_left_is_in_the_graph() -> None:
    train = _judged()
    graph = knowledge_graph(train, Config().kg)
    assert set(graph.relations) == {"has_price", "has_organic", "has_tag", "has_colour", "has_city"}
    assert graph.has("user:u000", "has_city", "city:hamburg") != graph.has("user:u000", "has_city", "city:ulm")
    prices = [label for label in graph.entities["label"] if label.startswith("price ")]
    assert 2 <= len(prices) <= 5

    hetero = hetero_graph(train, graph)
    assert hetero[USER, "has_city", ENTITY].edge_index.shape == (2, N_USERS)
    assert hetero[ITEM, "has_price", ENTITY].edge_index.shape == (2, N_ITEMS)
    assert hetero[ITEM].x.shape == (N_ITEMS, 1)  # the price
    assert hetero[ITEM].x.std() > 0.9
    assert not hetero[USER].x.any()
    assert hetero[ENTITY].x.shape[1] == 1
    assert hetero.text_width == 0
    assert hetero.validate()


def test_numbers_stand_beside_the_text_and_texts_are_read_alone() -> None:
    train = _judged()
    random = np.random.default_rng(0)
    sizes = (train.n_users, train.n_items, 0)
    text = TextFeatures(*(unit(random.normal(size=(n, 6)).astype(np.float32)) for n in sizes))
    hetero = hetero_graph(train, kg.graph.empty(), text)
    assert hetero.text_width == 6
    np.testing.assert_array_equal(hetero[ITEM].x[:, :6], text.items)
    np.testing.assert_array_equal(hetero[USER].x[:, :6], text.users)
    assert {hetero[kind].x.shape[1] for kind in (USER, ITEM, ENTITY)} == {7}
    block = Semantic().fit(FitInputs(Ties(train), hetero), {"ridge": "centroid"})
    assert isinstance(block, ProfileBlock)
    assert block.text_map is not None
    assert len(block.text_map) == 6 + 1  # a query is a text


def test_numbers_are_no_words() -> None:
    said = item_descriptions(_judged())
    assert all(set(text.split(", ")) <= {"a", "b", "c", "d", "red", "green", "blue"} for text in said)


def _no_texts() -> TextEncoder:
    raise AssertionError("no text is encoded")


def _quick() -> Config:
    return Config().with_(features={"enabled": False}, blocks=("popularity", "graph"))


def test_a_fit_and_its_explanations_hold_with_users_in_the_graph() -> None:
    from graphrec.explain.check import check

    data = _shop()
    assert data.parts is not None
    train = data.subset(data.parts == TRAIN)
    model = Recommender(_quick().with_(blocks=("spectral",), spectral={"rank": (8,)})).fit(replace(train, parts=None))
    for user in ("u000", "u001"):
        for item in model.recommend(user, 3)["item_id"]:
            said = model.explain(user, item)
            assert check(said, model.fitted.data, model.fitted.graph) == []
            assert "stock" not in said.text
