"""Tables beside the events: items, users, friends, triples and links, read as the plan says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from graphrec.data.attributes import Column
from graphrec.door import check as door
from graphrec.door.report import Report, Unmatched
from graphrec.read import proof
from graphrec.read.assemble import Tables, stack
from graphrec.read.columns import Role
from graphrec.read.longform import long_form, no_numbers, places
from graphrec.read.reading import Planned, written
from graphrec.read.spec import FriendTable, SideTable, Spec
from kg.types import ExternalTriples


@dataclass
class Known:
    """The ids of the events, and what the side tables add for ``finish``."""

    users: set[str]
    items: set[str]
    triples: list[tuple[str, str, str]] = field(default_factory=list)
    entities: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    links: list[tuple[str, set[str]]] = field(default_factory=list)
    strangers: dict[str, set[str]] = field(default_factory=lambda: {"item": set(), "user": set()})

    @classmethod
    def of(cls, tables: Tables) -> Known:
        """What the events know."""
        events = tables.events
        users, items = (set(events[c].cat.categories.astype(object)) for c in ("user_id", "item_id"))
        return cls(users, items)


_LOOSE: Mapping[str, Callable[[str], str]] = {
    "but for leading zeros": lambda i: i.lstrip("0") or "0",
    "but for capital letters": str.casefold,
}


def _as_in_events(planned: Planned, ids: pd.Series, known: set[str], report: Report) -> pd.Series:
    """Ids of a side table that match none of the events', as the events write them where that is plain.

    A spreadsheet makes 12 of 00012. Taken only where no id matches as it is, at least half match loosely, and no two
    ids become one.
    """
    own = set(ids)
    if not own or own & known:
        return ids
    for what, loose in _LOOSE.items():
        written = {loose(i): i for i in known}
        if len(written) < len(known) or len({loose(i) for i in own}) < len(own):
            continue
        found = {i: written[loose(i)] for i in own if loose(i) in written}
        if 2 * len(found) >= min(len(own), len(known)):
            one = min(found)
            report.warn(f"{planned.path.name}: its ids are the events' {what}: {one} is read as {found[one]}")
            return ids.map({i: found.get(i, i) for i in own})
    return ids


def _matched(planned: Planned, ids: set[str], known: set[str], what: str, report: Report) -> bool:
    """Report the ids of a side table that the events do not know; False where they know none at all."""
    if not ids:
        return True
    strange = len(ids - known)
    if strange:
        report.unmatched.append(Unmatched(planned.path.name, strange, len(ids)))
    rows = len(known & ids)
    if not rows:
        report.warn(f"0 of {len(known):,} {what}s have a row in {planned.path.name}: its ids are none of the events'")
    elif rows < 0.5 * len(known):
        report.warn(f"only {rows:,} of {len(known):,} {what}s have a row in {planned.path.name}")
    return rows > 0


def _side(planned: Planned, raw: pd.DataFrame, out: Tables, known: Known, spec: Spec, report: Report) -> None:
    """A table of items or users: titles and texts, friends, and all other columns as attributes."""
    table = planned.table
    assert isinstance(table, SideTable)
    key: Role = "item_id" if planned.use == "items" else "user_id"
    what, mine = ("item", known.items) if key == "item_id" else ("user", known.users)
    roles: dict[str, str] = {str(r): c for r, c in table.columns.items()}
    frame = door.check_ids(raw.rename(columns={roles[key]: key}), report.quarantine, key)
    frame[key] = _as_in_events(planned, frame[key], mine, report)
    ids = set(frame[key])
    if not _matched(planned, ids, mine, what, report):
        reason = f"0 of {len(mine):,} {what}s have a row in it"
        report.use_file(planned.path, "", reason, form=written(planned.form))
        report.use_columns(planned.path, planned.header, {}, dict.fromkeys(planned.header, "the file is not used"))
        return
    known.strangers[what] |= ids - mine
    named: dict[str, str] = {c: r for r, c in roles.items()}
    texts = [r for r in ("title", "text") if r in roles]
    described = frame[[key]].copy()
    for role in texts:
        column = frame[roles[role]]
        described[role] = column.where(column.notna() & (column.astype(str).str.strip() != ""), None)
    described = described.drop_duplicates(key, keep="last").reset_index(drop=True)
    rest = [c for c in planned.header if c not in named and c not in table.unused]
    if "key" not in roles and (n := _contradicted(frame, [key, *(roles[r] for r in texts), *rest])):
        several = f"{n:,} ids have" if n > 1 else "1 id has"
        report.warn(f"{planned.path.name}: {several} several rows that differ; the last row of an id counts")
    columns: list[Column] = []
    rows: pd.DataFrame | None = None
    if "key" in roles:
        rows = _long(frame, key, roles)
    elif rest:
        single = frame.drop_duplicates(key, keep="last").reset_index(drop=True)
        rows, columns = long_form(single, key, rest, dict(table.types), spec)
        for line in no_numbers(single, columns):
            report.warn(f"{planned.path.name}: {line}")
    types: dict[str, str] = {c.name: str(c.type) for c in columns} | {roles[r]: "text" for r in texts}
    why = dict(table.unused) | {c.name: c.why_not for c in columns if c.why_not}
    named |= {c.name: "attribute" for c in columns}
    if {"latitude", "longitude"} <= roles.keys() and key == "item_id":
        points, point, outside = places(frame, key, roles["latitude"], roles["longitude"])
        if outside:
            many = f"{outside:,} places lie beyond 90 or 180 degrees and count as unknown"
            one = "1 place lies beyond 90 or 180 degrees and counts as unknown"
            lost = "; are latitude and longitude exchanged? data.toml says which is which" if points.empty else ""
            report.warn(f"{planned.path.name}: {one if outside == 1 else many}{lost}")
        rows, columns = stack([rows, points]), [*columns, point]
        types |= dict.fromkeys((roles["latitude"], roles["longitude"]), "point")
    if key == "item_id":
        out.items = _joined(out.items, described, key)
        out.item_attributes = stack([out.item_attributes, rows])
        out.item_columns += [c for c in columns if c.name not in {x.name for x in out.item_columns}]
    else:
        out.users = _joined(out.users, described, key)
        out.user_attributes = stack([out.user_attributes, rows])
        out.user_columns += [c for c in columns if c.name not in {x.name for x in out.user_columns}]
        if "friends" in roles:
            out.friends = stack([out.friends, _friend_lists(frame, roles["friends"])])
    report.use_file(planned.path, planned.use, form=written(planned.form))
    report.use_columns(planned.path, planned.header, named, why, types)


def _contradicted(frame: pd.DataFrame, columns: list[str]) -> int:
    """The ids, in the first of the columns, that have rows which differ in the others."""
    again = frame.loc[frame[columns[0]].duplicated(keep=False), columns].astype(str).drop_duplicates()
    return int(again.loc[again[columns[0]].duplicated(), columns[0]].nunique())


def _joined(old: pd.DataFrame | None, new: pd.DataFrame, key: str) -> pd.DataFrame:
    """Texts of two tables on one thing: what an earlier table says stays."""
    if old is None:
        return new
    both = pd.concat([old, new], ignore_index=True)
    return both.groupby(key, sort=False, as_index=False).first()


def _long(frame: pd.DataFrame, key: str, roles: Mapping[str, str]) -> pd.DataFrame:
    """A row for each attribute → id, key, value; of one that changed in time, the last."""
    rows = frame.rename(columns={roles["key"]: "key", roles["value"]: "value"})
    if "timestamp" in roles:
        order = (
            proof.numbers(frame[roles["timestamp"]]).reindex(frame.index).fillna(0).to_numpy().argsort(kind="stable")
        )
        rows = rows.iloc[order].drop_duplicates([key, "key"], keep="last")
    rows = rows.loc[proof.present(rows["value"]).index, [key, "key", "value"]]
    return rows.reset_index(drop=True)


def _friend_lists(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """A column of lists of friends ("a, b", ["a", "b"]) → user_id, friend_id."""
    lists = proof.present(frame[column]).str.strip("[]").str.replace(r"[\"']", "", regex=True).str.split(r"[,;|]\s*")
    pairs = pd.DataFrame({"user_id": frame.loc[lists.index, "user_id"], "friend_id": lists}).explode("friend_id")
    pairs["friend_id"] = pairs["friend_id"].astype(str).str.strip()
    return pairs[pairs["friend_id"] != ""].reset_index(drop=True)


def _friends(planned: Planned, raw: pd.DataFrame, out: Tables, known: Known, spec: Spec, report: Report) -> None:
    table = planned.table
    assert isinstance(table, FriendTable)
    roles = table.columns
    frame = raw.rename(columns={roles["user_id"]: "user_id", roles["friend_id"]: "friend_id"})
    frame = door.check_ids(frame, report.quarantine, "user_id", "friend_id")
    ids = set(frame["user_id"]) | set(frame["friend_id"])
    if strange := len(ids - known.users):
        report.unmatched.append(Unmatched(planned.path.name, strange, len(ids)))
    if not ids & known.users:
        report.warn(f"0 of {len(known.users):,} users have a friend in {planned.path.name}")
    known.strangers["user"] |= ids - known.users
    out.friends = stack([out.friends, frame[["user_id", "friend_id"]]])
    out.directed = out.directed or bool(table.directed)
    form = written(planned.form)
    report.use_file(planned.path, "friends", kind="directed" if table.directed else "mutual", form=form)
    report.use_columns(planned.path, planned.header, {c: r for r, c in roles.items()}, table.unused)


def _triples(planned: Planned, raw: pd.DataFrame, out: Tables, known: Known, spec: Spec, report: Report) -> None:
    """Rows of head, relation, tail; or of an item, a relation and an entity, where the item is ``item:<item_id>``."""
    roles = planned.table.columns
    of_items = "item_id" in roles
    head, tail = ("item_id", "entity") if of_items else ("head", "tail")
    names = {roles[r]: r for r in (head, "relation", tail, "entity_label") if r in roles}
    frame = door.check_ids(raw.rename(columns=names), report.quarantine, head, "relation", tail)
    if of_items:
        ids = set(frame["item_id"])
        _matched(planned, ids, known.items, "item", report)
        known.entities |= {i: f"item:{i}" for i in sorted(ids)}
        known.strangers["item"] |= ids - known.items
        frame["item_id"] = "item:" + frame["item_id"].astype(str)
    known.triples += list(zip(*(frame[c].tolist() for c in (head, "relation", tail)), strict=True))
    if "entity_label" in frame:
        known.labels |= dict(zip(frame[tail], frame["entity_label"].astype(str), strict=True))
    report.use_file(planned.path, "triples", form=written(planned.form))
    report.use_columns(planned.path, planned.header, {c: r for r, c in roles.items()}, planned.table.unused)


def _links(planned: Planned, raw: pd.DataFrame, out: Tables, known: Known, spec: Spec, report: Report) -> None:
    roles = planned.table.columns
    frame = raw.rename(columns={roles["item_id"]: "item_id", roles["entity"]: "entity"})
    frame = door.check_ids(frame, report.quarantine, "item_id", "entity")
    _matched(planned, set(frame["item_id"]), known.items, "item", report)
    known.entities |= dict(zip(frame["item_id"], frame["entity"], strict=True))
    known.strangers["item"] |= set(frame["item_id"]) - known.items
    known.links.append((planned.path.name, set(frame["entity"])))
    report.use_file(planned.path, "links", form=written(planned.form))
    report.use_columns(planned.path, planned.header, {c: r for r, c in roles.items()}, planned.table.unused)


def finish(out: Tables, known: Known, report: Report) -> None:
    """The external triples of all tables, and what is to be said of the ids of all."""
    if known.triples or known.entities:
        in_triples = {e for h, _, t in known.triples for e in (h, t)}
        if not known.entities:
            known.entities = {i: i for i in sorted(known.items & in_triples)}
        for name, entities in known.links:
            if strange := len(entities - in_triples):
                report.unmatched.append(Unmatched(name, strange, len(entities)))
        linked = sum(known.entities.get(i) in in_triples for i in known.items)
        if linked < 0.1 * len(known.items):
            report.warn(f"{linked:,} of {len(known.items):,} items are linked to the knowledge graph")
        out.external = ExternalTriples(tuple(known.triples), known.entities, known.labels)
    counts = {what: len(ids) for what, ids in known.strangers.items() if ids}
    if counts:
        parts = [f"{n:,} {what}{'s' * (n != 1)}" for what, n in sorted(counts.items(), reverse=True)]
        one = sum(counts.values()) == 1
        left_out = "; left out: the catalogue is that of the events" if out.catalogue == "events" else ""
        report.warn(f"{' and '.join(parts)} {'is' if one else 'are'} known from side files only{left_out}")


READ: Mapping[str, Callable[[Planned, pd.DataFrame, Tables, Known, Spec, Report], None]] = {
    "items": _side,
    "users": _side,
    "friends": _friends,
    "triples": _triples,
    "links": _links,
}
