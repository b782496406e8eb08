"""What an event says counts: stars, likes and dislikes, labels, carts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import graphrec as gr
from tests.cases.support import FIRST, PAIRS, PLAIN, QUICK, Cli, delimited, own_reasons, role, span, two_tastes
from tests.read.support import write

STARS = ("user_id", "item_id", "rating", "timestamp")


def stars(tmp_path: Path, name: str, *more: tuple[str, str, int, int], flip: bool = False) -> Path:
    rows = [*two_tastes(40, 6, 12, seed=3, flip=flip), *more]
    return write(tmp_path, {f"{name}.csv": delimited(STARS, rows)}) / f"{name}.csv"


# What everybody takes is another question; what is chosen, that of the default blocks.
CLOSED = (*QUICK, "--set", "blocks=spectral,neighbours,ease,ials")
ALONE = {"ials": ("alpha=3", "regularisation=10", "factors=8", "knowledge=0"), "neighbours": ("alpha=0.25", "beta=0.2")}
CLOSED += tuple(part for name, values in ALONE.items() for value in values for part in ("--set", f"{name}.{value}"))
LOVER = ("lover", "A00", 5, 1_600_500_000)


@pytest.fixture(scope="module", params=[CLOSED, PLAIN], ids=["closed form", "default blocks"])
def starred(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, ...]]:
    """A model of two tastes, of somebody who hates one thing and of somebody who loves it; its settings."""
    hater, folder = ("hater", "A00", 1, 1_600_500_000), tmp_path_factory.mktemp("starred")
    return Cli().fit(stars(folder, "stars", hater, LOVER), *request.param), request.param


def test_one_star_is_no_wish_for_more(starred: tuple[Path, tuple[str, ...]], tmp_path: Path, cli: Cli) -> None:
    model, settings = starred
    flipped = cli.fit(stars(tmp_path, "flipped", ("hater", "A00", 5, 1_600_500_000), flip=True), *settings)
    ours, theirs = cli.tops(model, 5), cli.tops(flipped, 5)
    right = different = 0
    for user in range(40):
        five, other = (tops[f"u{user:02d}"] for tops in (ours, theirs))
        right += sum(item[0] == "AB"[user % 2] for item in five)
        different += five != other
    assert right >= 0.9 * 5 * 40
    assert different == 40


def test_what_was_disliked_is_never_a_reason(tmp_path: Path, cli: Cli) -> None:
    model = cli.fit(stars(tmp_path, "stars", ("hater", "A00", 1, 1_600_500_000)))
    answer = cli.json("recommend", model, "--user", "hater", "-k", 5)
    loaded = gr.load(model)
    for row in answer["items"]:
        why = loaded.explain("hater", row["item_id"]).to_json()
        assert own_reasons(why) == set()
        assert "A00" not in why["text"]
    assert answer["degraded"]
    for user in range(6):
        disliked = "BA"[user % 2]
        for item in loaded.recommend(f"u{user:02d}", 3)["item_id"]:
            why = loaded.explain(f"u{user:02d}", item).to_json()
            assert own_reasons(why)
            assert not [i for i in own_reasons(why) if i.startswith(disliked)]


def test_the_report_says_which_ratings_are_liked(tmp_path: Path, cli: Cli) -> None:
    found = cli.inspect(stars(tmp_path, "stars"))
    assert role(found, "rating") == "rating"
    assert "rating" in str(found["strength"])
    assert "dislikes" in str(found["strength"])


FEEDBACK = [(u, i, (u + 2 * i) % 5 % 2) for u in range(8) for i in range(6) if (u + i) % 4 != 3]  # label 1: liked


def check_dislikes(folder: Path) -> None:
    model = gr.load(folder)
    for user in range(8):
        disliked = {str(i) for u, i, label in FEEDBACK if u == user and not label}
        for item in range(6):
            if not any(row[:2] == (user, item) for row in FEEDBACK):
                assert not own_reasons(model.explain(str(user), str(item)).to_json()) & disliked


def test_a_dislike_is_no_positive(tmp_path: Path, cli: Cli) -> None:
    rows = [(u, i, "like" if good else "dislike", f"2024-01-{i + 1:02d}T00:00:00Z") for u, i, good in FEEDBACK]
    header = ("user_id", "item_id", "feedback_type", "timestamp")
    path = write(tmp_path, {"feedback.csv": delimited(header, rows)}) / "feedback.csv"
    found = cli.inspect(path)
    assert role(found, "feedback_type") == "kind"
    assert "dislike" in str(found["strength"])
    check_dislikes(cli.fit(path))


def test_shown_and_not_clicked_is_no_interaction(tmp_path: Path, cli: Cli) -> None:
    header = ("user_id:token", "item_id:token", "label:float")
    write(tmp_path / "log", {"log.inter": delimited(header, FEEDBACK, "\t")})
    found = cli.inspect(tmp_path / "log")
    assert all(c["role"] for c in found["columns"])
    check_dislikes(cli.fit(tmp_path / "log"))


def test_a_log_of_views_carts_and_purchases(tmp_path: Path, cli: Cli) -> None:
    kinds = ["view", "cart", "remove_from_cart", "purchase"]
    rows = [(f"{FIRST[:8]}{u + i + 1:02d} 00:00:00 UTC", kinds[(u + i) % 4], i, "acme", "9.99", u) for u, i in PAIRS]
    header = ("event_time", "event_type", "product_id", "brand", "price", "user_id")
    path = write(tmp_path, {"rees46.csv": delimited(header, rows)}) / "rees46.csv"
    found = cli.inspect(path)
    assert [role(found, c) for c in header[:3]] == ["timestamp", "kind", "item_id"]
    assert role(found, "user_id") == "user_id"
    assert all(kind in str(found["strength"]) for kind in kinds)
    assert span(found)[0] == FIRST
    assert cli.json("evaluate", path, "--split", "temporal", *QUICK)["split"] == "temporal"
    model = gr.load(cli.fit(path))
    for user in range(8):
        taken_out = {str(i) for u, i in PAIRS if u == user and kinds[(u + i) % 4] == "remove_from_cart"}
        for item in model.recommend(str(user), 2)["item_id"]:
            assert not own_reasons(model.explain(str(user), item).to_json()) & taken_out


def test_reviews_of_a_shop_with_stars_dates_and_titles(tmp_path: Path, cli: Cli) -> None:
    header = (
        *("marketplace", "customer_id", "review_id", "product_id", "product_parent", "product_title"),
        *("product_category", "star_rating", "helpful_votes", "total_votes", "vine", "verified_purchase"),
        *("review_headline", "review_body", "review_date"),
    )
    rows = [
        (
            *(
                "US",
                100 + u,
                f"R{u}{i}",
                f"B{i:04d}",
                1,
                f"Gift card {i}",
                f"Gift Card {i % 2}",
                1 + (u + i) % 5,
                0,
                0,
                "N",
            ),
            *("Y", f"Head of {u} on {i}", f"text {u} {i}", f"2015-08-{u + i + 1:02d}"),
        )
        for u, i in PAIRS
    ]
    path = write(tmp_path, {"amazon_us.tsv": delimited(header, rows, "\t")}) / "amazon_us.tsv"
    found = cli.inspect(path)
    wanted = {"customer_id": "user_id", "product_id": "item_id", "star_rating": "rating", "review_date": "timestamp"}
    assert {c: role(found, c) for c in wanted} == wanted
    assert all(role(found, c) for c in ("product_title", "product_category", "review_headline", "review_body"))
    assert span(found) == ("2015-08-02", "2015-08-12")
    model = cli.fit(path)
    assert {r["title"] for r in cli.json("recommend", model, "--user", "100")["items"]} == {
        "Gift card 0",
        "Gift card 3",
    }


def test_the_first_recommendation_has_a_reason(starred: tuple[Path, tuple[str, ...]], cli: Cli) -> None:
    model, _ = starred
    for user in ("u00", "u01", "u17", "lover"):
        (first,) = cli.top(model, user, 1)
        why = cli.json("explain", model, "--user", user, "--item", first)
        assert "not above zero" not in why["text"]
        assert why["evidence"] or why["score"] > 0


def test_scores_are_no_noise_or_a_note_says_so(tmp_path: Path, cli: Cli) -> None:
    """280 events without any pattern: what is left is what is popular, not the rounding of an identity."""
    draw = random.Random(5)
    rows = [
        (f"u{user}", f"i{item}", 5, 1_500_000_000 + 5_000 * user + 86_400 * turn)
        for user in range(40)
        for turn, item in enumerate(draw.sample(range(24), 7))
    ]
    path = write(tmp_path, {"events.csv": delimited(STARS, rows)}) / "events.csv"
    model = cli.fit(path, *PLAIN)
    answer = cli.json("recommend", model, "--user", "u0", "-k", 10)
    scores = [row["score"] for row in answer["items"]]
    assert max(scores) - min(scores) > 1e-4 * max(map(abs, scores)) or answer["degraded"]
