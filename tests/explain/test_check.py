"""The checker finds what does not hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graphrec.explain import Explainer
from graphrec.explain.check import check, holds
from graphrec.explain.names import Names, public
from graphrec.query.ties import Ties
from graphrec.types import Evidence, Explanation, Source, Step
from tests.explain.world import counted, explained, knowledge, said, world

DATA, GRAPH = world(), knowledge()
WORTH = {"strings": 3.0, "tuner": 2.0, "cable": 1.0}


@pytest.fixture(scope="module")
def sound() -> Explanation:
    out = explained(Explainer(counted(DATA, WORTH, 0.5), Ties(DATA), GRAPH), "ann", "capo")
    assert {e.kind for e in out.evidence} == {"knowledge", "history", "friend", "mention"}
    return out


def with_path(explanation: Explanation, *steps: Step) -> Explanation:
    return replace(explanation, evidence=(Evidence(0.0, "history", steps),))


def test_sound(sound: Explanation) -> None:
    assert check(sound, DATA, GRAPH) == []


def test_missing_triples(sound: Explanation) -> None:
    keep = np.flatnonzero(GRAPH.triples[:, 1] != GRAPH.relation_num["has_aspect"])
    provenance = GRAPH.provenance[GRAPH.provenance["triple"].isin(keep)]
    provenance = provenance.assign(triple=np.searchsorted(keep, provenance["triple"]))
    corrupt = replace(GRAPH, triples=GRAPH.triples[keep], provenance=provenance)
    problems = check(sound, DATA, corrupt)
    assert any("no such step: item:capo –has_aspect→ aspect:drop-d-tuning" in p for p in problems)
    assert any("is the source of no triple on the path" in p for p in problems)


def test_altered_text(sound: Explanation) -> None:
    corrupt = replace(GRAPH, texts={r: text.replace("drop-D", "drop-C") for r, text in GRAPH.texts.items()})
    assert any("the quote is not in review" in p for p in check(sound, DATA, corrupt))


def test_quote_from_another_review(sound: Explanation) -> None:
    first = replace(sound.evidence[0], source=Source(said("cid", "tuner"), "Its padding is thin."))
    problems = check(replace(sound, evidence=(first,)), DATA, GRAPH)
    assert problems == [f"evidence 1 (knowledge): review {said('cid', 'tuner')} is the source of no triple on the path"]


def test_missing_interactions_and_friendships(sound: Explanation) -> None:
    no_bob = DATA.subset(DATA.interactions.user_nums != DATA.users.number("cid"))
    assert any("no such step: user:cid –interacted→ item:tuner" in p for p in check(sound, no_bob, GRAPH))
    lonely = replace(DATA, social_edge_index=np.zeros((2, 0), np.int64))
    assert any("no such step: user:ann –friend→ user:dee" in p for p in check(sound, lonely, GRAPH))


def test_a_history_item_alone_is_evidence_of_its_share(sound: Explanation) -> None:
    """It is all that is told where few people took both; of any other kind of evidence it is not enough."""
    took = (Step("user:ann", "interacted", "item:strings"),)
    alone = Evidence(0.5, "history", took)
    assert check(replace(sound, evidence=(alone,)), DATA, GRAPH) == []
    (problem,) = check(replace(sound, evidence=(replace(alone, kind="knowledge"),)), DATA, GRAPH)
    assert "ends at item:strings" in problem


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ((), "ends at user:ann, not at item:capo"),
        ((Step("user:ann", "friend", "user:dee"),), "ends at user:dee, not at item:capo"),
        ((Step("user:bob", "interacted", "item:capo"),), "breaks at user:ann"),
        (
            (Step("user:ann", "interacted", "item:strings"), Step("user:cid", "interacted", "item:capo")),
            "breaks at item:",
        ),
        ((Step("item:capo", "interacted", "user:ann"),), "no such step"),
        ((Step("user:ann", "interacted", "item:capo"),), "no such step"),
        ((Step("user:nobody", "interacted", "item:capo"),), "no such step"),
        ((Step("user:ann", "friend", "user:nobody"),), "no such step"),
        ((Step("user:ann", "interacted", "item:nothing"),), "no such step"),
    ],
)
def test_broken_paths(sound: Explanation, steps: tuple[Step, ...], problem: str) -> None:
    assert any(problem in p for p in check(with_path(sound, *steps), DATA, GRAPH))


def test_blocks_that_do_not_sum(sound: Explanation) -> None:
    assert any("blocks sum to" in p for p in check(replace(sound, score=sound.score + 0.1), DATA, GRAPH))


def test_public_forms(sound: Explanation) -> None:
    """Marks are checked too: somebody must be able to stand for each, and a review on the path must hold the quote."""
    told = public(sound, Names())
    assert check(told, DATA, GRAPH) == []
    no_cid = DATA.subset(DATA.interactions.user_nums != DATA.users.number("cid"))
    assert any("no such step: user:somebody-1 –interacted→ item:tuner" in p for p in check(told, no_cid, GRAPH))
    lonely = replace(DATA, social_edge_index=np.zeros((2, 0), np.int64))
    assert any("no such step: user:ann –friend→ user:friend-1" in p for p in check(told, lonely, GRAPH))
    corrupt = replace(GRAPH, texts={r: text.replace("drop-D", "drop-C") for r, text in GRAPH.texts.items()})
    assert any("the quote is not in review review-1" in p for p in check(told, DATA, corrupt))
    assert all(map(all, holds(told, DATA, GRAPH)))


def test_a_mark_is_one_person(sound: Explanation) -> None:
    """Somebody took the lamp and somebody the capo, but nobody both."""
    step = Step("user:ann", "interacted", "item:strings")
    somebody = [Step("user:somebody-1", "interacted", f"item:{item}") for item in ("strings", "capo", "lamp")]
    assert check(with_path(sound, step, *somebody[:2]), DATA, GRAPH) == []
    assert any("no such step: user:somebody-1" in p for p in check(with_path(sound, step, *somebody), DATA, GRAPH))
