"""graphrec experiment: two models on trial, and what another would have got."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphrec.cli.keys import StoreUrl
from graphrec.cli.options import Artifact, AsJson
from graphrec.cli.output import Sheet, answer, print_json, warn
from graphrec.errors import ConfigError, EmptyDataError

if TYPE_CHECKING:
    import pandas as pd

    from graphrec.evaluate.offpolicy import Logged
    from graphrec.evaluate.trial import Trial
    from graphrec.model.model import Model

Events = Annotated[list[str], typer.Option("--event", help="Type of event that counts; else all but dislikes.")]
experiment_app = typer.Typer(help="Two models on trial.", no_args_is_help=True, rich_markup_mode=None)


@experiment_app.callback()
def _options() -> None: ...


@experiment_app.command()
def report(
    store: StoreUrl,
    a: Annotated[str, typer.Option("--a", help="A model's version; by default the one that answered most.")] = "",
    b: Annotated[str, typer.Option("--b", help="The version that it is compared with; by default the second.")] = "",
    scenarios: Annotated[str, typer.Option(help="Two scenarios in place of versions: A,B.")] = "",
    share: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=0.999,
            help="Of people that B was to answer, its canary; above half, B answered most.",
        ),
    ] = None,
    effect: Annotated[float, typer.Option(min=0.001, help="Relative change that people are counted for.")] = 0.05,
    event: Events = [],  # noqa: B006
    interleaved: Annotated[
        bool,
        typer.Option("--interleaved", help="By interleaved lists; by itself where one model alone gave others."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What two versions or scenarios were answered with, and whether they differ."""
    from graphrec.evaluate.trial import trial
    from graphrec.types import model_of

    if bool(a) != bool(b) or (scenarios and (a or interleaved)):
        raise ConfigError("two sides are compared; give --a and --b, or --scenarios A,B, or none of them")
    a, b = model_of(a), model_of(b)
    both = interleaved_in(store, event)
    table = shown_in(store, event, "scenario" if scenarios else "model", needed=not both and not interleaved)
    if interleaved or (both and not (a or scenarios) and table["side"].nunique() < 2):
        preferred(both, a, b, as_json)
        if share is not None:
            warn("--share is not checked here: both models gave each of these lists")
        return
    anonymous = int(table["user_id"].isna().sum())
    known = table[table["user_id"].notna()]
    names = [a, b] if a else [name.strip() for name in scenarios.split(",") if name.strip()]
    by_size = known.sort_values("side").groupby("side", sort=False)["answer"].nunique()
    by_size = by_size.sort_values(ascending=False, kind="stable")
    if not names:
        names = by_size.index[:2].tolist()
        names = names[::-1] if share is not None and share > 0.5 else names
    if len(names) != 2:
        raise ConfigError(
            f"two sides are compared, found {', '.join(names) or 'none'}; a canary or a scenario makes two"
        )
    found = trial(known, names[0], names[1], share, effect)
    others = {str(side): int(n) for side, n in by_size.items() if side not in names}
    if as_json:
        print_json({**asdict(found), "anonymous": anonymous, "effect": effect, "others": others})
        return
    answer(*_tables(found, effect))
    for text in found.warnings:
        warn(text)
    if found.ratio_p is None:
        warn("whether people were assigned as they should be was not checked; --share says how many B was to answer")
    if anonymous:
        warn(f"{anonymous:,} impressions of people who are not known were left out")
    if others and not scenarios:
        told = ", ".join(f"{side} ({n:,})" for side, n in others.items())
        warn(f"others answered too and are left out, --a and --b name them: {told}")
    if both:
        warn(f"{len(both):,} interleaved answers are not in these figures; --interleaved compares by them")


def preferred(answers: list[dict[str, Any]], a: str, b: str, as_json: bool) -> None:
    """Print which of two versions people prefer in interleaved answers. Raises EmptyDataError."""
    from graphrec.evaluate.trial import preference

    pairs = Counter((each["a"], each["b"]) for each in answers)
    there = ", ".join(f"{one} with {other} ({n:,})" for (one, other), n in pairs.most_common()) or "none"
    pair = (a, b) if a else next(iter(dict(pairs.most_common(1))), ("", ""))
    if not pairs[pair]:
        raise EmptyDataError(
            f"no lists of {' with '.join(pair) if a else 'two models'} were interleaved; there are {there}."
            ' POST /admin/reload {"artifact": "NEW", "interleave": 0.5} begins it'
        )
    own = [each for each in answers if (each["a"], each["b"]) == pair]
    found = preference([each["user_id"] for each in own], [each["wins"] for each in own])
    people = found.for_a + found.for_b + found.for_neither
    if as_json:
        print_json({"a": pair[0], "b": pair[1], "answers": len(own), "people": people, **asdict(found)})
        return
    sheet = Sheet("people for A", "for B", "for neither", "preference for B", "p", title="interleaved, 95 % interval")
    value = f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
    sheet.row(f"{found.for_a:,}", f"{found.for_b:,}", f"{found.for_neither:,}", value, f"{found.p_value:.2g}")
    answer(sheet, f"A is {pair[0]}, B is {pair[1]}: {len(own):,} answers to {people:,} people")
    if len(pairs) > 1:
        warn(f"others were interleaved too and are left out, --a and --b name them: {there}")
    if found.for_a + found.for_b < 100:
        warn(f"only {found.for_a + found.for_b:,} people preferred one; intervals are rough below 100")


def interleaved_in(url: str, types: list[str]) -> list[dict[str, Any]]:
    """The interleaved answers of a store, each with ``wins``: what b's items got more than a's."""
    from graphrec.store import Store
    from graphrec.store.reading import interleaved

    with Store.open(url, create=False) as opened:
        rows = interleaved(opened)
    for row in rows:
        got = Counter(item["team"] for item in row["items"] if any(counts(kind, types) for kind in item["event_types"]))
        row["wins"] = got["b"] - got["a"]
    return rows


def counts(kind: str, types: list[str]) -> bool:
    """Whether an event of a kind counts: one of ``types``; where there are none, any that says no dislike."""
    from graphrec.data.kinds import weight_of

    weight = weight_of(kind) if kind else 1.0
    return kind in types if types else weight is None or weight > 0


def shown_in(url: str, types: list[str], by: str, needed: bool = True) -> pd.DataFrame:
    """What a store showed in answers of one model: side, user_id, answer, time, event, as ``trial`` takes it. Raises
    EmptyDataError where there are none and they are ``needed``."""
    import pandas as pd

    from graphrec.store import Store
    from graphrec.store.reading import shown

    with Store.open(url, create=False) as opened:
        rows = shown(opened)
    if not rows and needed:
        raise EmptyDataError("the store holds no answers; ask `graphrec serve` with this store first")
    return pd.DataFrame(
        {
            "side": [row[by] for row in rows],
            "user_id": [row["user_id"] for row in rows],
            "answer": [row["recommendation_id"] for row in rows],
            "time": [row["time"] for row in rows],
            "item_id": [row["item_id"] for row in rows],
            "position": [row["position"] for row in rows],
            "propensity": [row["propensity"] for row in rows],
            "event": [int(any(counts(kind, types) for kind in row["event_types"])) for row in rows],
        }
    )


def _tables(found: Trial, effect: float) -> list[Any]:
    sides = Sheet("side", "people", "answers", "shown", "events", title="what was shown")
    for letter, side in (("A", found.a), ("B", found.b)):
        figures = (side.users, side.answers, side.impressions, side.events)
        sides.row(f"{letter} {side.name}", *(f"{n:,}" for n in figures))
    rates = Sheet("rate", "A", "B", "B - A", "p", f"people for {effect:.0%}", title="what came of it, 95 % intervals")
    for rate in found.rates:
        a, b, gain = (f"{v:.4f} [{low:.4f}, {high:.4f}]" for v, low, high in (rate.a, rate.b, rate.difference))
        needed = "" if rate.users_needed is None else f"{rate.users_needed:,} a side"
        rates.row(rate.name, a, b, gain, f"{rate.p_value:.2g}", needed)
    if found.ratio_p is not None:
        return [sides, rates, f"people on both sides are as many as they should be: p = {found.ratio_p:.2g}"]
    return [sides, rates]


@experiment_app.command()
def offpolicy(
    artifact: Artifact,
    store: StoreUrl,
    event: Events = [],  # noqa: B006
    clip: Annotated[float | None, typer.Option(min=1, help="Weights above are cut to it.")] = None,
    as_json: AsJson = False,
) -> None:
    """What MODEL would have got, from answers that were explored with known propensities."""
    from graphrec.evaluate.offpolicy import estimate, overlap
    from graphrec.recommender import Recommender

    table = shown_in(store, event, "model")
    table = table[table["propensity"].notna() & table["user_id"].notna()]
    if table.empty:
        raise EmptyDataError(
            "no exploration was logged, so nothing can be said of another model; ask /recommend with explore=0.1"
        )
    log, left = _log(Recommender.load(artifact).fitted, store, table)
    found = {how: estimate(log, how, clip) for how in ("ips", "snips", "dr")}
    far = overlap(log, clip)
    logged = float(log.rewards.sum() / far.answers)
    if as_json:
        figures = {how: {"value": e.value, "low": e.low, "high": e.high} for how, e in found.items()}
        print_json({"estimates": figures, "logged": logged, "clip": clip, "left_out": left, **asdict(far)})
        return
    sheet = Sheet("estimate", "events a list", "from", "to", title=f"what {artifact.name} would have got, 95 %")
    for how, e in found.items():
        sheet.row(how.upper(), f"{e.value:.4f}", f"{e.low:.4f}", f"{e.high:.4f}")
    answer(
        sheet,
        f"logged: {logged:.4f} events a list, {far.answers:,} answers to {far.users:,} people",
        f"{far.matched:,} of {far.places:,} places match, worth {far.effective:,.0f}",
    )
    for text in far.warnings():
        warn(text)
    for why, n in left.items():
        if n:
            warn(f"{n:,} answers were left out: {why}")


def _log(model: Model, url: str, table: pd.DataFrame) -> tuple[Logged, dict[str, int]]:
    """The log of explored answers that came after what the model learned, and how many were left out and why."""
    import numpy as np
    import pandas as pd

    from graphrec.cli.replay import learned_until, replayed
    from graphrec.evaluate.offpolicy import Logged, rewards_of
    from graphrec.store import Store

    until = learned_until(model)
    with Store.open(url, create=False) as opened:
        # No leakage. What came of answers that the model has learned from says nothing of it.
        later = table[table["time"] > until]
        given = [found for name in later["answer"].unique() if (found := opened.answer(name)) is not None]
        lists = replayed(model, opened, given)
    wanted = {g.recommendation_id: found for g, found in zip(given, lists, strict=True) if found is not None}
    rows = later[later["answer"].isin(wanted)]
    left = {
        "they came before the last event that the model has learned from": table["answer"].nunique()
        - later["answer"].nunique(),
        "the model cannot be asked what was asked": later["answer"].nunique() - len(wanted),
    }
    if rows["user_id"].nunique() < 2:
        raise EmptyDataError(
            f"no answers to two people or more are left ({'; '.join(f'{n}: {why}' for why, n in left.items())});"
            " a model is judged by explored answers after its last event"
        )
    pairs = zip(rows["answer"], rows["position"], strict=True)
    target = [dict(enumerate(wanted[name], 1)).get(place) for name, place in pairs]
    both = pd.factorize(pd.concat([rows["item_id"], pd.Series(target, dtype=object)]))[0].astype(np.int64)
    items, asked = both[: len(rows)], both[len(rows) :]
    users, places = pd.factorize(rows["user_id"])[0].astype(np.int64), rows["position"].to_numpy(np.int64)
    rewards = rows["event"].to_numpy(np.float64)
    predicted, expected = rewards_of(items, places, rewards, users, [items, asked])
    answers = pd.factorize(rows["answer"])[0].astype(np.int64)
    chances = rows["propensity"].to_numpy(np.float64)
    return Logged(
        answers, users, places, rewards, chances, (items == asked).astype(np.float64), predicted, expected
    ), left
