"""The whole path on a small data set: load, fit, recommend, explain, and what to type next."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from graphrec.cache_dir import graphrec_cache
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.fetch import fetch
from graphrec.errors import DataError
from graphrec.explain.render import render
from graphrec.recommender import Recommender
from graphrec.samples import generate
from graphrec.types import Explanation

TOP = 5
MAX_STEPS = 150  # of the graph block: a demo shows the path, not the last digit


def run(name: str, n_users: int, out: Path | None, people: Console) -> Recommender:
    """Fit on ``sample`` (synthetic) or ``ml-100k`` (real, fetched) and print recommendations with their reasons.

    The model is kept at ``out``, else in the cache folder. Raises DataError for another name.
    """
    data = _dataset(name)
    counts = ", ".join(f"{n:,} {what}" for what, n in data.counts().items() if n)
    people.rule(f"{data.name}")
    if name == "sample":
        people.print("A synthetic shop: its products, people and reviews are invented by a seeded generator.")
    people.print(counts, highlight=False)
    config = Config().with_(graph={"max_steps": MAX_STEPS})
    model = Recommender(config, progress=True).fit(data)
    path = out or graphrec_cache() / "demo" / name
    model.save(path)
    chosen = model.fitted.chosen
    weights = ", ".join(f"{block} {weight:.2g}" for block, weight in chosen["weights"].items())
    people.print(f"fitted in {sum(model.seconds.values()):.0f} s; blend: {weights}", highlight=False)
    for user_id in _users_to_show(model, n_users):
        show(model, user_id, people)
    example = model.recommend(data.users.ids[0], 1)["item_id"].iat[0]
    people.rule("ask for more")
    command = "graphrec" if shutil.which("graphrec") else os.path.relpath(sys.argv[0])
    people.print(
        f"  {command} recommend {path} --user {data.users.ids[0]} -k 10\n"
        f"  {command} explain {path} --user {data.users.ids[0]} --item {example}\n"
        f"  {command} similar {path} --item {example}\n"
        f"  {command} serve {path}\n"
        f"  {command} fit YOUR_DATA --out model      ({command} --help lists the rest)",
        highlight=False,
        soft_wrap=True,
    )
    return model


def _dataset(name: str) -> Dataset:
    if name == "sample":
        return generate()
    if name == "ml-100k":
        return Dataset.load(fetch(name))
    raise DataError(f"demo {name!r} does not exist; there are sample and ml-100k")


def _users_to_show(model: Recommender, n_users: int) -> list[str]:
    """Users with a history of middling length: their reasons are neither thin nor endless."""
    data = model.fitted.data
    taken = np.bincount(data.interactions.user_nums, minlength=data.n_users)
    order = np.lexsort((np.arange(len(taken)), np.abs(taken - np.median(taken[taken > 0]))))
    return [data.users.ids[n] for n in order[:n_users]]


def show(model: Recommender, user_id: str, people: Console) -> None:
    """A user's top items with each block's part of the score, and the reasons for the best explained of them."""
    found = model.recommend(user_id, TOP)
    data, profiles = model.fitted.data, model.fitted.profiles
    names = [name for name, weight in profiles.weights.items() if weight > 0]
    table = Table("rank", "item", "title", "score", *names, title=f"top {TOP} for {user_id}")
    user_num = data.users.number(user_id)
    explanations: list[Explanation] = []
    for row in found.itertuples(index=False):
        parts = profiles.contributions(user_num, data.items.number(str(row.item_id)))
        cells = [f"{parts[name]:+.3f}" for name in names]
        table.add_row(str(row.rank), str(row.item_id), str(row.title), f"{row.score:.3f}", *cells)
        explanations.append(model.explain(user_id, str(row.item_id)))
    people.print(table)
    quoted = [e for e in explanations if any(piece.source for piece in e.evidence)]
    if best := (quoted or explanations)[:1]:
        people.print(render(best[0]))
