"""Files of events → one log: kinds, ratings and counts, and what their columns tell of items and users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from graphrec.data.attributes import truth, untruth
from graphrec.data.dataset import TEST, TRAIN, VALID
from graphrec.data.kinds import Kind, scale_of
from graphrec.door import check as door
from graphrec.door.odd import warn_of_one_day
from graphrec.door.quarantine import Quarantine
from graphrec.door.report import Report
from graphrec.door.values import is_blank
from graphrec.errors import EmptyDataError, FormatError
from graphrec.read import kind_words
from graphrec.read.assemble import Tables, stack
from graphrec.read.columns import ROLES_OF_VALUES, Role
from graphrec.read.guess import NO_RATINGS, NO_TIMES, UNDONE
from graphrec.read.longform import long_form, no_numbers
from graphrec.read.reading import NO_ROWS, Planned, written
from graphrec.read.spec import SPEC_FILE, EventTable, Spec, nearest

PARTS = {"train": TRAIN, "valid": VALID, "test": TEST}
_UNRATED = (0.0,)
SHOWN = "shown"  # the kind of what was shown and not taken
_PASSED: tuple[Role, ...] = ("user_id", "item_id", "timestamp", "text", "summary", "reviewer_name")
Load = Callable[[Planned, Report], pd.DataFrame]
_Part: TypeAlias = tuple[Planned, pd.DataFrame]


def read_logs(logs: Sequence[Planned], spec: Spec, report: Report, load: Load) -> Tables:
    """Every file of events, checked and put together. Raises EmptyDataError, FormatError (files of two sources)."""
    out, scales, parts = Tables(pd.DataFrame(), kinds=[]), dict[int, tuple[float, float]](), list[_Part]()
    for planned in logs:
        table = planned.table
        assert isinstance(table, EventTable)
        raw = load(planned, report)
        if not len(raw) and (parts or planned is not logs[-1]):  # of a log in parts some may be empty
            report.use_file(planned.path, "", NO_ROWS)
            continue
        events = _checked(planned, table, raw, spec, report, out, len(logs) == 1)
        given = events["value"].dropna().unique()
        if table.values == "rating" and len(given) > 1:
            out.scales[planned.path.name] = scale = table.scale or scale_of(given)
            for n in events["kind"].unique().tolist():  # a kind has the scale of its files, whatever it uses of it
                low, high = scales.get(n, scale)
                scales[n] = (min(low, scale[0]), max(high, scale[1]))
        _unheard(planned, table, out, report)
        _told(table, raw, out, "item_id", table.item_attributes, spec, report)
        _told(table, raw, out, "user_id", table.user_attributes, spec, report)
        _report(planned, table, out, report)
        parts.append((planned, events))
        del raw
    out.kinds = [replace(k, scale=k.scale or scales.get(n)) for n, k in enumerate(out.kinds)]
    heard = {k.name for k in out.kinds} | out.words
    for name in spec.kinds:
        if name not in heard:
            report.warn(f"{SPEC_FILE} weighs the kind {name!r}, which no event has; {nearest(name, sorted(heard))}")
    if not spec.events:  # what data.toml names belongs together
        _one_source(parts)
    out.events = together([events for _, events in parts], report)
    if len(logs) > 1 and "timestamp" in out.events:
        warn_of_one_day(out.events["timestamp"].to_numpy(), report.quarantine, logs[0].path.parent)
    if any("part" in e for _, e in parts) and not all("part" in e for _, e in parts):
        out.events = out.events.drop(columns="part")
        report.warn("only some files of events name their part of a split; the parts are left out")
    return out


def _checked(
    planned: Planned, table: EventTable, raw: pd.DataFrame, spec: Spec, report: Report, out: Tables, alone: bool
) -> pd.DataFrame:
    quarantine = report.quarantine
    frame = pd.DataFrame({r: raw[c] for r, c in table.columns.items() if r in _PASSED})
    frame = frame.assign(file=raw["file"], line=raw["line"])
    if "time_of_day" in table.columns and "timestamp" in frame:
        frame["timestamp"] = _at_its_time(table, raw, report)
    if "user_id" not in table.columns:
        frame["user_id"] = table.user
    frame = frame.assign(**{r: raw[table.columns[r]] for r in ("latitude", "longitude") if r in table.columns})
    if table.part is not None:
        frame["part"] = PARTS[table.part]
    frame["kind"] = _kinds(table, raw, spec, report, out).astype(np.int16)
    if len(bad := frame[frame["kind"] < 0]):
        for file, line, found in zip(bad["file"], bad["line"], raw.loc[bad.index, table.columns["label"]], strict=True):
            quarantine.add(file, line, "label is neither 0 nor 1", found)
        frame, raw = (t[frame["kind"] >= 0] for t in (frame, raw))
    limits = table.scale or spec.rating_range
    value = next((table.columns[r] for r in ROLES_OF_VALUES if r in table.columns), None)
    unrated = pd.Series(False, index=frame.index)
    if value is not None and table.values != "none":
        frame["rating"] = raw[value]
        found = pd.to_numeric(raw[value], errors="coerce")
        if table.values == "rating":
            marks = table.unrated or (_UNRATED if _zero_is_none(found) else ())
            unrated = found.isin(marks)
            if not table.unrated and unrated.any():
                report.warn(f'{planned.path.name}: ratings of 0 are read as "not rated"')
        else:
            limits = None
    if unrated.any() and not unrated.all():
        parts = [(frame[~unrated], limits), (frame[unrated].drop(columns="rating"), None)]
    else:
        parts = [(frame, limits)]
    value_is = table.values if table.values in ("count", "dwell") else "rating"
    how = door.TimeForm(table.date_format, table.zone, table.unit)
    said: Any = {"decimal": table.decimal, "time_form": how, "value_is": value_is, "alone": alone}
    return together([door.check_events(f, quarantine, planned.path, r, **said) for f, r in parts], report)


def _at_its_time(table: EventTable, raw: pd.DataFrame, report: Report) -> pd.Series:
    """Dates with the time of day that stands in a column of its own behind them; "" where there is no date."""
    day, time = table.columns["timestamp"], table.columns["time_of_day"]
    if table.date_format is not None and not any(code in table.date_format for code in ("%H", "%I", "%X")):
        report.warn(
            f"{table.file}: the time of day in {time!r} is left out, since date_format says only how days are written; "
            f'say it of both together, e.g. "{table.date_format} %H:%M"'
        )
        return raw[day]
    days, times = (raw[c].map(lambda v: "" if is_blank(v) else str(v).strip()) for c in (day, time))
    return (days + " " + times).str.strip().where(days != "", "")


def _zero_is_none(found: pd.Series) -> bool:
    """Zeros on a scale that else begins at 1, and more of them than of any rating: "not rated" (Book-Crossing)."""
    given = found.dropna()
    counts = given.value_counts()
    whole = bool((given == given.round()).all())
    return whole and given.min() == 0 and given.max() >= 3 and int(counts.iloc[0]) == int(counts.get(0.0, -1))


def _kinds(table: EventTable, raw: pd.DataFrame, spec: Spec, report: Report, out: Tables) -> Any:
    """The place in ``out.kinds`` of every row's kind, int64 (R,); -1 where a label is neither 0 nor 1."""

    def place(name: str, weight: float) -> int:
        kind = Kind(name, weight, table.values or "none", table.scale, table.disliked_to)
        if kind.values != "rating":
            kind = replace(kind, scale=kind.scale if kind.values == "dwell" else None, disliked_to=None)
        if kind in out.kinds:
            return out.kinds.index(kind)
        if any(k.name == kind.name for k in out.kinds):
            kind = replace(kind, name=f"{kind.name} ({table.file})")
        out.kinds.append(kind)
        return len(out.kinds) - 1

    base = table.weight
    if base is None:
        known = kind_words.weight(table.kind)
        base = spec.kinds.get(table.kind, 1.0 if known is None else known)
    if "kind" in table.columns:
        words = raw[table.columns["kind"]].astype(str).str.strip()
        codes, distinct = pd.factorize(words)
        places = []
        for word in distinct:
            out.words.add(word)
            name, known = kind_words.kind(word), kind_words.weight(word)
            if known is None and word not in spec.kinds and not is_blank(word):
                report.warn(
                    f"{table.file}: the kind of event {word!r} is not known and weighs 1; "
                    f'say what it weighs in {SPEC_FILE}: kinds = {{ "{word}" = 1.0 }}'
                )
            places.append(
                place(table.kind or "interaction", base)
                if is_blank(word)
                else place(name, spec.kinds.get(word, spec.kinds.get(name, 1.0 if known is None else known)))
            )
        return np.array(places, np.int64)[codes]
    if "label" in table.columns:
        words = raw[table.columns["label"]].astype(str).str.strip()
        name = (
            table.kind if table.kind != "interaction" else "click" if "clic" in table.columns["label"] else table.kind
        )
        taken, left = truth(words), untruth(words)
        return np.where(taken, place(name, base), np.where(left, place(SHOWN, spec.kinds.get(SHOWN, 0.0)), -1))
    return np.full(len(raw), place(table.kind or "interaction", base), np.int64)


def _told(
    table: EventTable,
    raw: pd.DataFrame,
    out: Tables,
    key: Role,
    columns: Sequence[str],
    spec: Spec,
    report: Report,
) -> None:
    """What columns of the events tell of their items or users: the first value that is there."""
    title = table.columns.get("title") if key == "item_id" else None
    wanted = [*columns, *([title] if title else [])]
    if not wanted:
        return
    own = table.columns.get(key)
    frame = raw[[*([own] if own else []), *wanted, "file", "line"]].rename(columns={own: key})
    frame = frame if own else frame.assign(**{key: table.user})
    frame = frame.drop_duplicates([key, *wanted])
    frame = door.check_ids(frame, Quarantine(), key)
    frame[wanted] = frame[wanted].replace(r"^\s*$", np.nan, regex=True).groupby(frame[key]).bfill()
    frame = frame.drop_duplicates(key).reset_index(drop=True)
    if title is not None:
        titles = frame[[key, title]].rename(columns={title: "title"})
        out.items = stack([out.items, titles])
    if columns:
        rows, found = long_form(frame, key, list(columns), dict(table.types), spec)
        for line in no_numbers(frame, found):
            report.warn(f"{table.file}: {line}")
        if key == "item_id":
            out.item_attributes = stack([out.item_attributes, rows])
            out.item_columns += [f for f in found if f.name not in {c.name for c in out.item_columns}]
        else:
            out.user_attributes = stack([out.user_attributes, rows])
            out.user_columns += [f for f in found if f.name not in {c.name for c in out.user_columns}]


def _unheard(planned: Planned, table: EventTable, out: Tables, report: Report) -> None:
    """Warn of settings for ratings that have nothing to say, or too much."""
    if table.values != "rating":
        for setting in ("scale", "disliked_to", "unrated"):
            if getattr(table, setting) not in (None, ()):
                found = f"its column {table.columns['count']!r} holds counts" if "count" in table.columns else "none"
                report.warn(
                    f"{planned.path.name}: {SPEC_FILE} says {setting}, but there are no ratings ({found}); name their "
                    'column: columns = { rating = "…" }'
                )
        return
    low, high = out.scales.get(planned.path.name, (-np.inf, np.inf))
    to = table.disliked_to
    if to is not None and not low <= to < high:
        report.warn(
            f"{planned.path.name}: disliked_to = {to:g} is no rating below the highest of {low:g} to {high:g}: "
            f"{'none is a dislike' if to < low else 'all are dislikes'}"
        )


def _report(planned: Planned, table: EventTable, out: Tables, report: Report) -> None:
    for column, reason in table.unused.items():
        if reason == NO_TIMES or reason.startswith((NO_RATINGS, UNDONE)):
            report.warn(f"{planned.path.name}: {column!r}{':' * reason.startswith(UNDONE)} {reason}")
    report.use_file(planned.path, "events", kind=table.kind, form=written(planned.form))
    roles: dict[str, str] = {c: r for r, c in table.columns.items()}
    why, types = dict(table.unused), {}
    for owner, names, columns in (
        ("item attribute", table.item_attributes, out.item_columns),
        ("user attribute", table.user_attributes, out.user_columns),
    ):
        for attribute in columns:
            if attribute.name in names:
                roles[attribute.name], types[attribute.name] = owner, attribute.type
                why |= {attribute.name: attribute.why_not} if attribute.why_not else {}
    report.use_columns(planned.path, planned.header, roles, why, types)


def _one_source(parts: Sequence[_Part]) -> None:
    """Raises FormatError where a file of events has neither users nor items in common with those before it."""
    first, of_first = parts[0]
    known = {c: set(of_first[c].cat.categories.astype(object)) for c in ("user_id", "item_id") if len(parts) > 1}
    for planned, events in parts[1:]:
        own = {c: set(events[c].cat.categories.astype(object)) for c in known}
        if all(ids.isdisjoint(own[c]) for c, ids in known.items()):
            raise FormatError(
                f"{planned.path.parent}: {first.path.name} and {planned.path.name} both hold events but have no user "
                f"and no item in common: two sources; point at one of them, or name it in a {SPEC_FILE} "
                f'(file = "{first.path.name}")'
            )
        known = {c: ids | own[c] for c, ids in known.items()}


def together(parts: Sequence[pd.DataFrame], report: Report) -> pd.DataFrame:
    """Checked events of several files as one table. Where a file has no times, its events take those of their pair."""
    if not parts:
        raise EmptyDataError("no events")
    if len(parts) == 1:
        return parts[0]
    timed = ["timestamp" in p for p in parts]
    out = pd.concat([p.drop(columns=["user_id", "item_id"]) for p in parts], ignore_index=True)
    for place, column in enumerate(("user_id", "item_id")):
        own = [p[column].cat.categories.astype(object).tolist() for p in parts]
        number = {id_: n for n, id_ in enumerate(sorted(set().union(*own)))}
        codes = [np.array([number[i] for i in of])[p[column].cat.codes] for p, of in zip(parts, own, strict=True)]
        one = pd.Categorical.from_codes(np.concatenate(codes), pd.Index(list(number), dtype=str))
        out.insert(place, column, pd.Series(one))
    if any(timed) and not all(timed):
        pair = out.groupby(["user_id", "item_id"], observed=True)["timestamp"].transform("max")
        mine = out.groupby("user_id", observed=True)["timestamp"].transform("max")
        filled = out["timestamp"].fillna(pair).fillna(mine).fillna(out["timestamp"].max())
        n = int(out["timestamp"].isna().sum())
        report.warn(f"{n:,} events come from files without times; they take the last time of their pair or person")
        out["timestamp"] = filled
    if any(timed):
        out["timestamp"] = out["timestamp"].astype(np.int64)
    for column in ("text", "summary"):
        if column in out:
            out[column] = out[column].astype(object).where(out[column].notna(), "")
    return out
