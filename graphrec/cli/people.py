"""Whom `recommend --all` and `--users FILE` are for, and what they get: read, answered and written a part at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from graphrec.cli.output import console
from graphrec.cluster.engine import LOCAL, Engine
from graphrec.data.sink import writing
from graphrec.door.values import ids as as_ids
from graphrec.errors import DataError
from graphrec.model.answers import Answers, streamed
from graphrec.model.model import Model
from graphrec.read.forms import whole_table
from graphrec.read.streams import bare
from graphrec.types import Ints, Vocabulary

AT_ONCE = 2048  # people whose queries are held, four batches of answers
TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".json")


@dataclass(frozen=True)
class People:
    """Whom to answer.

    Args:
        ids: user ids, each once. items, ends: of person n, ``items[ends[n]:ends[n + 1]]`` are the item numbers of their
            history, int64 (P,) and (n + 1,); ends is None where no histories are given.
        told: what was set aside or merged, a line each.
    """

    ids: Sequence[str]
    items: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    ends: Ints | None = None
    told: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path, items: Vocabulary) -> People:
        """From a table with user_id, and item_id for histories; or from a text of one id a line.

        Raises DataError where it cannot be read, has no user_id, or names nobody.
        """
        out = cls._of_table(path, items) if bare(path.name.lower()).endswith(TABLES) else cls._of_lines(path)
        if not out.ids:
            raise DataError(f"{path}: names no user; give a table with a column user_id, or one id a line")
        return out

    @classmethod
    def _of_lines(cls, path: Path) -> People:
        try:
            lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise DataError(f"{path}: cannot be read ({why}); give one id a line, or a table named .csv") from None
        lines = [line for line in lines if line]
        found = list(dict.fromkeys(lines))
        return cls(found, told=_some({"lines repeat an id, which is answered once": len(lines) - len(found)}))

    @classmethod
    def _of_table(cls, path: Path, items: Vocabulary) -> People:
        table = whole_table(path, "--users")
        if "user_id" not in table:
            found = ", ".join(map(str, table.columns))
            raise DataError(f"{path}: no column user_id but {found}; name it in the first line, or give a .txt of ids")
        users = as_ids(table["user_id"], "user_id")
        told = {"rows without a user_id were set aside": int((users.codes < 0).sum())}
        if "item_id" not in table:
            rows = int((users.codes >= 0).sum())
            told["rows repeat a user_id, which is answered once"] = rows - len(users.names)
            return cls(users.names, told=(*users.warnings, *_some(told)))
        taken = as_ids(table["item_id"], "item_id")
        nums = np.append(items.numbers(taken.names, missing="-1"), -1)[taken.codes]  # (R,)
        unknown = (taken.codes >= 0) & (nums < 0) & (users.codes >= 0)
        told["rows of items that the model does not know were left out of histories"] = int(unknown.sum())
        kept = (users.codes >= 0) & (nums >= 0)
        owner, nums = users.codes[kept], nums[kept]
        order = np.argsort(owner, kind="stable")
        ends = np.searchsorted(owner[order], np.arange(len(users.names) + 1))
        return cls(users.names, nums[order], ends, (*users.warnings, *taken.warnings, *_some(told)))

    def parts(self, item_ids: Any) -> Iterator[tuple[Sequence[str], list[list[str]] | None]]:
        """Ids and histories (item ids), ``AT_ONCE`` people at a time."""
        for start in range(0, len(self.ids), AT_ONCE):
            some = self.ids[start : start + AT_ONCE]
            if self.ends is None:
                yield some, None
                continue
            spans = zip(self.ends[start:-1], self.ends[start + 1 :], strict=True)
            yield some, [item_ids[self.items[a:b]].tolist() for (a, b), _ in zip(spans, some, strict=False)]


def _some(told: dict[str, int]) -> tuple[str, ...]:
    return tuple(f"{n:,} {what}" for what, n in told.items() if n)


@dataclass
class Told:
    """What is said of many answers together."""

    users: int = 0
    without_items: int = 0
    degraded: dict[str, tuple[int, str]] = field(default_factory=dict)  # code → people, the text if all have one
    reranked: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, found: Answers) -> None:
        self.users += len(found)
        for _, each in found:
            self.without_items += not len(each.nums)
            for why in each.why:
                code, _, text = why.partition(": ")
                n, before = self.degraded.get(code, (0, text))
                self.degraded[code] = (n + 1, text if text == before else "")
            for change in each.changes:
                of = self.reranked.setdefault(change["reranker"], {"lists": 0, "changed": 0, "items": 0})
                of["lists"] += 1
                of["changed"] += bool(change["came"])
                of["items"] += len(change["came"])


def write_all(
    model: Model, people: People, k: int, out: Path, engine: Engine = LOCAL, **options: Any
) -> dict[str, Any]:
    """Write the lists of all these people, and say what they are: the document of `recommend --out`."""
    told, start = Told(), time.perf_counter()
    columns = ["user_id", "item_id", "score", "rank"]
    screen = console(stderr=True)
    bar = Progress(
        TextColumn("recommending"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )
    with writing(out) as sink, bar:
        task = bar.add_task("recommending", total=len(people.ids), rate="")
        for table, found in streamed(model, people.parts(model.item_ids), k, engine, **options):
            sink.write(table[columns])
            told.add(found)
            rate = told.users / (time.perf_counter() - start)
            bar.update(task, completed=told.users, rate=f"{rate:,.0f} users/s")
    seconds = time.perf_counter() - start
    unknown = int((model.data.users.numbers(people.ids, missing="-1") < 0).sum())
    return {
        "out": str(out),
        "users": told.users,
        "rows": sink.rows,
        "unknown_users": unknown,
        "without_items": told.without_items,
        "degraded": {code: n for code, (n, _) in told.degraded.items()},
        **({"reranked": told.reranked} if options.get("rerank") else {}),
        "model_version": model.version,
        "seconds": seconds,
        "notes": [*people.told, *_lines(told, unknown)],
    }


def _lines(told: Told, unknown: int) -> Iterator[str]:
    if unknown:
        yield f"{unknown:,} of {told.users:,} ids are of nobody the model knows; they are answered all the same"
    for code, (n, text) in told.degraded.items():
        yield f"{code}: {n:,} of {told.users:,} lists" + (f" ({text})" if text else "")
    if told.without_items:
        yield f"{told.without_items:,} of {told.users:,} users have no row: nothing is left for them"
    for name, of in told.reranked.items():
        yield f"{name}: {of['items']:,} items came into {of['changed']:,} of {of['lists']:,} lists"
