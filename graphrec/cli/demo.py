"""The whole path on a small data set: load, fit, recommend, explain, and what to type next."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.text import Text

from graphrec.cache_dir import graphrec_cache
from graphrec.cli.output import Sheet
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.fetch import fetch
from graphrec.errors import DataError
from graphrec.explain.phrases import plain
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
    people.rule(Text(data.name))
    if name == "sample":
        people.print("A synthetic shop: its products, people and reviews are invented by a seeded generator.")
    people.print(Text(counts))
    config = Config().with_(graph={"max_steps": MAX_STEPS})
    model = Recommender(config, progress=True).fit(data)
    path = out or graphrec_cache() / "demo" / name
    model.save(path)
    weights = ", ".join(f"{block} {weight:.2g}" for block, weight in model.fitted.chosen["weights"].items())
    people.print(Text(f"fitted in {sum(model.seconds.values()):.0f} s; blend: {weights}"))
    for user_id in _users_to_show(model, n_users):
        show(model, user_id, people)
    example = str(model.recommend(data.users.ids[0], 1)["item_id"].iat[0])
    people.rule("ask for more")
    for command in commands(path, data.users.ids[0], example):
        people.print(Text(folded(command, people.width)), soft_wrap=True)
    return model


def commands(path: Path, user_id: str, item_id: str) -> list[list[str]]:
    """What to type next, in words that stay together."""
    called = "python -m graphrec" if Path(sys.argv[0]).name == "__main__.py" else os.path.relpath(sys.argv[0])
    program = "graphrec" if shutil.which("graphrec") else called
    home, model = str(Path.home()), shlex.quote(str(path))
    if str(path).startswith(f"{home}/") and model == str(path):
        model = "~" + model.removeprefix(home)  # the shell knows it, unless it is quoted
    user, item = f"--user {shlex.quote(user_id)}", f"--item {shlex.quote(item_id)}"
    asked = [["recommend", user, "-k 10"], ["explain", user, item], ["similar", item], ["serve"]]
    out = [[f"  {program} {first}", model, *rest] for first, *rest in asked]
    return [*out, [f"  {program} fit", "YOUR_DATA", "--out model"], [f"  {program} --help"]]


def folded(words: list[str], width: int) -> str:
    """Words on lines of at most ``width`` columns, where no word is longer, to be pasted into a shell as they are."""
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) + 3 > width:  # of ` \\` too
            lines[-1] += " \\"
            lines.append(f"    {word}")
        else:
            lines[-1] += f" {word}"
    return "\n".join(lines)


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
    """A user's top items, each block's part of their scores, and the reasons for the best explained of them."""
    found = model.recommend(user_id, TOP)
    items = Sheet(
        "rank", "item", "title", "score", title=f"top {TOP} for {user_id}", cut=["title"], figures=["rank", "score"]
    )
    explanations: list[Explanation] = []
    for row in found.itertuples(index=False):
        items.row(row.rank, row.item_id, plain(str(row.title)), f"{row.score:.3f}")
        explanations.append(model.explain(user_id, str(row.item_id)))
    ranks = [str(rank) for rank in found["rank"]]
    blocks = Sheet("block", *ranks, title="its part of the score at each rank", figures=ranks)
    for name in (name for name, weight in model.fitted.profiles.weights.items() if weight > 0):
        blocks.row(name, *(f"{e.blocks.get(name, 0.0):+.3f}" for e in explanations))
    people.print(items, blocks)
    quoted = [e for e in explanations if any(piece.source for piece in e.evidence)]
    if best := (quoted or explanations)[:1]:
        people.print(render(best[0]))
