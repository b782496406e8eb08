"""Groups of people served alike, groups of items shown as they are taken, lists calibrated, and genders shown alike.

    python benchmarks/fairness_groups.py ../shared/data --models /tmp/models          # models as fairness.py keeps them
    python benchmarks/fairness_groups.py ../shared/data --only ml1m_sequences --dev   # validation users alone

All is chosen on validation users of a model of the training part; the test part is looked at once, with what was
chosen. Differential fairness is that of Islam et al. (WWW 2021, after Foulds et al., ICDE 2020), of what is shown: the
mean over items of |log P(shown | women) / P(shown | men)|, with one shown and one not shown more for each gender, on
lists of 10 and of 100; and what it is where genders are dealt out by chance, below which nothing can be told.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import numpy as np
import report
import typer
from fairness import K, fitted, runs

from graphrec.blocks.folds import FitInputs, Folds
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.evaluate import levelling, mending, metrics
from graphrec.evaluate.clearing import cleared
from graphrec.evaluate.fairness import miscalibration, of_users
from graphrec.evaluate.groups import grouping
from graphrec.evaluate.mending import Lists
from graphrec.evaluate.ranking import Task, hits_of
from graphrec.evaluate.significance import paired_p_value
from graphrec.evaluate.validation import Validation
from graphrec.fit import learn
from graphrec.model.model import Model
from graphrec.query.query import Queries
from graphrec.recommender import Recommender
from graphrec.rerank.api import Candidates
from graphrec.rerank.calibration import Calibration
from graphrec.types import Ints, Vocabulary

PEOPLE = {"ml1m_sequences": ("gender", "age", "activity"), "lfm1m": ("gender", "age_band", "activity")}
GOAL = "gap:{}:-50%"
ITEMS = {"ml1m_sequences": ("popularity", "genre"), "lfm1m": ("popularity",)}
SHOWN = "exposure:{}:-30%"
TIMES = 3  # times that people of the group served worst count in what blocks learn
ALL = ("exposure", "genders", "calibration", "people", "learning")
LEARNING = {"ml1m_sequences": ("gender", "activity")}
GENRE = {"ml1m_sequences": "genre"}
CANDIDATES = 25  # of each block, among which weights are chosen
EVERY = 3  # of these people one has lists that a strength is chosen on
LONG = 100  # lists on which fewer differences are chance
CALIBRATED = (0.1, 0.3, 0.5)
DRAWN = 800  # people whose lists are calibrated one by one


class Part:
    """The people of a part who are to find something, their candidates, and what is measured of lists."""

    def __init__(self, model: Model, held: Dataset, data: Dataset, config: Config) -> None:
        task, queries = Task.of(config), Queries.before(model.ties, held)
        seen = task.known(queries.seen)
        truth = task.new(task.truth(held), seen)
        self.users = np.flatnonzero(np.diff(truth.indptr))
        self.model, self.data, self.task = model, data, task
        self.queries, self.seen, self.truth = queries[self.users], seen[self.users], truth[self.users]
        self.lists = self.of(model)

    def of(self, model: Model) -> Lists:
        return Lists.of(model.scores, self.queries, self.seen, self.truth, self.task.only)

    def ndcg(self, shown: Ints) -> Any:
        return metrics.ndcg(hits_of(shown, self.truth), np.diff(self.truth.indptr), K)

    def groups(self, shown: Ints, key: str) -> dict[str, Any]:
        """The gap between groups of people with its interval, and NDCG of each."""
        each = self.ndcg(shown)
        groups = grouping(f"users.{key}", self.model.data, self.data, self.users)
        told: Any = SimpleNamespace(per_user={f"ndcg@{K}": each, f"recall@{K}": each})
        found = of_users(told, groups, self.users, (K,))
        rows = {row["group"]: [row["metrics"][f"ndcg@{K}"], row["users"]] for row in found["groups"]}
        return {"ndcg": float(each.mean()), "gap": found["gaps"][f"ndcg@{K}"], "groups": rows}

    def apart(self, shown: Ints, key: str = "gender", by_chance: bool = False) -> float:
        """Differential fairness of what is shown."""
        groups = grouping(f"users.{key}", self.model.data, self.data, self.users)
        place, size = groups.label_of(self.users), self.truth.shape[1]
        place = np.random.default_rng(0).permutation(place) if by_chance else place
        logs = []
        for g in np.unique(place):
            own = shown[place == g]
            counts = np.bincount(own[own >= 0], minlength=size)
            logs.append(np.log((counts + 1) / (len(own) + 2)))
        return float((np.max(logs, axis=0) - np.min(logs, axis=0)).mean())


def levelled(name: str, first: Part, final: Part | None, held: Dataset, config: Config) -> dict[str, Any]:
    """The curve of every grouping of people on validation users, and the gaps of both parts."""
    out: dict[str, Any] = {}
    blocks = {b.name: [b.reweighted(1.0)] for b in first.model.profiles.blocks if not b.empty}
    validation = Validation(first.model.ties, held, K, len(first.users), config.seed, first.task)
    judges = Folds.of(FitInputs(first.model.ties, None), validation)
    at_k = config.model_copy(update={"blend": config.blend.model_copy(update={"k": K, "candidates": CANDIDATES})})
    for key in PEOPLE[name]:
        try:
            served, spreads = levelling.served_of(blocks, first.model.profiles.gate, judges, key, at_k)
        except ConfigError as error:
            print(name, key, error, flush=True)
            continue
        start = np.array([first.model.profiles.weights[block] for block in blocks]) * spreads
        weights, told = levelling.levelled(served, start, GOAL.format(key))
        parts = {"validation": first} | ({} if final is None else {"test": final})
        told["parts"] = {which: {"as it is": p.groups(p.lists.items[:, :K], key)} for which, p in parts.items()}
        if weights is not None:
            own = dict(zip(blocks, weights / np.where(spreads > 0, spreads, 1), strict=True))
            for which, part in parts.items():
                kept = {b.name: own.get(b.name, 0.0) for b in part.model.profiles.blocks}
                profiles = part.model.profiles.reweighted(kept)
                lists = Lists.of(mending.scorer_of(profiles), part.queries, part.seen, part.truth, part.task.only)
                told["parts"][which]["levelled"] = part.groups(lists.items[:, :K], key)
        out[key] = told
        print(name, key, {k: v for k, v in told.items() if k != "curve"}, flush=True)
        for point in told["curve"]:
            print("   ", point, flush=True)
    return out


def shown(name: str, first: Part, final: Part | None, config: Config) -> dict[str, Any]:
    """What it costs to show groups of items nearer to how they are taken."""
    out: dict[str, Any] = {}
    for key in ITEMS[name]:
        target = SHOWN.format(key)
        lists, some = first.lists, slice(None, None, EVERY)
        lists = Lists(lists.items[some], lists.scores[some], lists.relevant[some])
        found = mending.least([replace(lists, shares=mending.shares_of(target, first.model.data))], target)
        parts = {"validation": first} | ({} if final is None else {"test": final})
        for which, part in parts.items():
            shares = mending.shares_of(target, part.model.data)
            lists, everybody = replace(part.lists, shares=shares), Queries.stored(part.model.ties)
            strength = found["strength"]
            prices = mending.prices(part.model.profiles, everybody, part.task, strength, found["people"], shares)
            plain, even = lists.items[:, :K], lists.shown(strength, prices)
            p = paired_p_value(part.ndcg(even), part.ndcg(plain))
            found[which] = {"as it is": lists.measured(plain), "mended": lists.measured(even), "p": p}
            print(name, target, which, found[which], flush=True)
        out[key] = found
    return out


def calibrated(name: str, part: Part) -> dict[str, Any]:
    """Miscalibration of lists before and after ``--rerank calibration``, and NDCG, of a draw of people."""
    key = GENRE[name]
    nothing = part.model.likeness.rows
    some = np.sort(np.random.default_rng(0).permutation(len(part.users))[:DRAWN])
    member = grouping(f"items.{key}", part.model.data).member
    liked = part.queries[some].liked
    taken = np.asarray((liked.astype(np.float64) @ member).todense())
    lists = {"as it is": part.lists.items[some, :K]}
    for strength in CALIBRATED:
        reranker = Calibration(key, strength)
        rows = []
        for n, row in enumerate(some.tolist()):
            at = slice(None, K + reranker.beyond(K))
            history = liked.indices[liked.indptr[n] : liked.indptr[n + 1]].astype(np.int64)
            nums, scores = part.lists.items[row, at], part.lists.scores[row, at]
            one = Candidates(nums, scores, part.model.attributes, nothing, liked=history)
            rows.append(reranker.rerank(one, K).item_nums)
        lists[str(reranker)] = np.stack(rows)
    out: dict[str, Any] = {"people": len(some)}
    first = part.ndcg(part.lists.items[:, :K])[some]
    for what, own in lists.items():
        table = np.stack([np.asarray(member[items].sum(axis=0)).ravel() for items in own])
        off = miscalibration(taken, table.astype(np.float64))
        each = metrics.ndcg(hits_of(own, part.truth[some]), np.diff(part.truth[some].indptr), K)
        out[what] = {"ndcg": float(each.mean()), "miscalibration": float(np.nanmean(off))}
        out[what]["p"] = paired_p_value(each, first)
        print(name, what, out[what], flush=True)
    return out


def genders(part: Part) -> dict[str, Any]:
    """Differential fairness of what is shown to the genders, and NDCG, before and after clearing."""
    model = part.model
    clear = replace(model, profiles=cleared(model.profiles, model.ties, ("gender",)))
    lists = {"as it is": part.lists.items, "cleared of gender": part.of(clear).items}
    first = part.ndcg(part.lists.items[:, :K])
    out: dict[str, Any] = {f"chance@{k}": part.apart(part.lists.items[:, :k], by_chance=True) for k in (K, LONG)}
    for what, own in lists.items():
        each = part.ndcg(own[:, :K])
        out[what] = {"ndcg": float(each.mean()), "p": paired_p_value(each, first)}
        out[what] |= {f"differential@{k}": part.apart(own[:, :k]) for k in (K, LONG)}
        print(what, out[what], flush=True)
    return out


def copied(train: Dataset, people: Ints, times: int) -> Dataset:
    """The data with people so many times, under ids of their own."""
    ids, events = list(train.users.ids), train.events
    told = ("user_nums", "item_nums", "values", "kinds", "timestamps", "places", "order")
    columns = {name: [column] for name in told if (column := getattr(events, name)) is not None}
    theirs, number = np.isin(events.user_nums, people), np.full(train.n_users, -1)
    for turn in range(1, times):
        number[people] = len(ids) + np.arange(len(people))
        ids += [f"{train.users.ids[user]}#{turn}" for user in people.tolist()]
        for name, parts in columns.items():
            own = parts[0][theirs]
            parts.append(number[own] if name == "user_nums" else own)
    more: dict[str, Any] = {name: np.concatenate(parts) for name, parts in columns.items()}
    texts = np.concatenate([train.user_text, np.full(len(ids) - train.n_users, "", object)])
    return replace(train, users=Vocabulary(ids), events=replace(events, **more), user_text=texts, parts=None)


def learning(name: str, first: Part, train: Dataset, held: Dataset, config: Config) -> dict[str, Any]:
    """NDCG of each group on validation users, where blocks learn as if people of the group served worst were more."""
    out: dict[str, Any] = {}
    before = first.ndcg(first.lists.items[:, :K])
    for key in LEARNING[name]:
        groups = grouping(f"users.{key}", first.model.data, first.data, first.users)
        place = groups.label_of(first.users)
        means = [before[place == g].mean() if (place == g).any() else np.inf for g in range(len(groups.labels))]
        worst = int(np.argmin(means))
        people = np.flatnonzero(groups.label_of(np.arange(train.n_users)) == worst)
        more = copied(train, people, TIMES)
        model = learn(more, first.model.chosen, Recommender(config)._fitting(more))
        part = Part(model, replace(held, users=more.users, user_text=more.user_text), first.data, config)
        after = part.ndcg(part.lists.items[:, :K])
        rows = {label: [float(e[place == g].mean()) for e in (before, after)] for g, label in enumerate(groups.labels)}
        rows["all"] = [float(before.mean()), float(after.mean())]
        own = {label: place == g for g, label in enumerate(groups.labels)}
        p_values = {label: paired_p_value(after[of], before[of]) for label, of in own.items()}
        out[key] = {"group": groups.labels[worst], "times": TIMES, "ndcg": rows, "p": p_values}
        print(name, key, out[key], flush=True)
    return out


def main(
    data: Annotated[Path, typer.Argument()],
    only: Annotated[list[str] | None, typer.Option()] = None,
    models: Annotated[Path | None, typer.Option(help="Where fitted models are kept, or found.")] = None,
    what: Annotated[str, typer.Option(help="What of it is measured; the rest stays as it is kept.")] = ",".join(ALL),
    dev: Annotated[bool, typer.Option(help="Validation users alone; nothing is kept.")] = False,
) -> None:
    for name, source, config, parts in runs(data, only):
        models_of = fitted(name, parts, config, models)
        first = Part(models_of[0], parts.folds[0].valid, source, config)
        unseen = dev or set(what.split(",")) == {"learning"}  # which is of validation users alone
        final = None if unseen else Part(models_of[1], parts.test, source, config)
        which = {"validation": first} | ({} if final is None else {"test": final})
        before = report.kept("fairness_groups", name)
        out = before | {"split": parts.kind}
        out |= {"users": before.get("users", {}) | {of: len(part.users) for of, part in which.items()}}
        if "exposure" in what:
            out["exposure"] = shown(name, first, final, config)
        if "genders" in what:
            out["genders"] = {of: genders(part) for of, part in which.items()}
        if "calibration" in what and name in GENRE:
            out["calibration"] = {of: calibrated(name, part) for of, part in which.items()}
        if "people" in what:
            out["people"] = levelled(name, first, final, parts.folds[0].valid, config)
        if "learning" in what and name in LEARNING:
            out["learning"] = learning(name, first, parts.folds[0].train, parts.folds[0].valid, config)
        if not dev:
            out |= {"data": source.digest(), "looks": before.get("looks", 0) + (not unseen)}
            report.keep("fairness_groups", name, out)


if __name__ == "__main__":
    typer.run(main)
