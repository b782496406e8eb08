"""New events, users and items taken into a model, without fitting anew what need not change.

What changes: the log and its indices; the stored rows of everybody whose own or whose friends' events are new; a side
for each new item, by its text where a block places texts; blocks so cheap that they are fitted anew. Once ``DUE`` of
the log is new, whatever costs little beside choosing is learned of items anew too (``Block.followed``). What the other
blocks learned stays, and so do all numbers: vocabularies are appended to. What new events say is measured against the
norms of the log that was fitted, so that a row is what it would be had they been there before.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from graphrec.blocks.api import FitInputs
from graphrec.blocks.registry import registered
from graphrec.data.dataset import Dataset
from graphrec.data.events import Events
from graphrec.data.same import digest
from graphrec.errors import DataError
from graphrec.evaluate.clearing import recleared
from graphrec.graph.hetero import hetero_graph
from graphrec.linalg.sums import SUMS
from graphrec.model.asked import as_id
from graphrec.model.learned import Learned
from graphrec.model.told import ALIASES, EVENT, kind_of, on_scale, places_of, seconds, unreadable
from graphrec.profile.api import FittedBlock
from graphrec.profile.profiles import Profiles
from graphrec.profile.shards import built
from graphrec.query.ties import Ties
from graphrec.types import Floats, Ints, model_of

DUE = 0.01  # of the log: so many new events, and blocks learn of items anew
COUNTED = ("users", "items", "events", "interactions")  # what an update changes
M = TypeVar("M", bound=Learned)


def updated(model: M, events: Any = (), items: Any = None, users: Any = None) -> M:
    """A model that knows of new events, items and users; the given one stays as it was.

    Args:
        events: a table, or mappings, of user_id and item_id; ``value`` (a rating or count), ``kind`` (by name, the
            first by default), ``timestamp`` (seconds, datetimes or texts of them; now by default), ``latitude`` and
            ``longitude`` where they are known; no time may lie in the future. An event that is known already changes
            nothing. Ids that are new become users and items.
        items: a table of item_id, and ``title``, ``text`` or attributes, which take the place of what was known of
            the same item; an empty list takes an attribute away. users: of user_id and attributes.

    Raises DataError for a column or kind that there is not, a value that is no number, a time that is none or
    has not come yet (as one in milliseconds), or an id that is none.
    """
    table, of_items, of_users = _table(events, EVENT), _table(items, None, "item_id"), _table(users, None, "user_id")
    data, touched = _joined(model.data, table, of_items, of_users)
    if data is model.data:
        return model
    behind = model.behind + len(data.events) - len(model.data.events)
    due = behind >= DUE * len(data.events)
    profiles, index = model.profiles, model.index
    if data.n_items > model.data.n_items or len(touched):
        profiles = _grown_blocks(model, data, touched, of_items, due)
        sides = profiles.item_matrix()
        if not index.holds(sides):
            index = built(sides, model.config.retrieve, profiles.people())
    told = (data.fingerprint(), of_items.map(str), of_users.map(str))
    made = hashlib.sha256((model.version + digest(told)).encode()).hexdigest()
    return replace(
        model,
        data=data,
        profiles=profiles,
        index=index,
        version=f"{made[:12]}-{model_of(model.version).rpartition('-')[2]}",
        counts={
            **model.counts,
            **{what: n for what, n in data.counts().items() if what in COUNTED},
        },
        behind=0 if due else behind,
    )


def _grown_blocks(model: Learned, data: Dataset, touched: Ints, of_items: pd.DataFrame, due: bool) -> Profiles:
    """The blocks over the data with what is new in it; what is learned anew of items is so from new events."""
    ties, listens = Ties(data, model.ties.heard), len(data.events) > len(model.data.events)
    texts = _texts(model, data, of_items, np.arange(model.data.n_items, data.n_items))
    blocks = []
    for block in model.profiles.blocks:
        learned = _followed(model, block, ties, due and listens)
        if learned is None:
            learned = block.grown(ties, _hearing(ties, touched) if block.hears_friends else touched, texts)
        blocks.append(learned.reweighted(block.weight))
    found = Profiles(tuple(blocks), model.profiles.gate, model.profiles.clearing)
    known = np.arange(model.data.n_users)
    return recleared(model.profiles, model.ties, found, ties, (known, known)) if due and listens else found


def with_new(data: Dataset, events: Any = (), items: Any = None, users: Any = None) -> Dataset:
    """The data with new events, items and users; for the arguments and errors see ``updated``."""
    return _joined(data, _table(events, EVENT), _table(items, None, "item_id"), _table(users, None, "user_id"))[0]


def _followed(model: Learned, block: FittedBlock, ties: Ties, due: bool) -> FittedBlock | None:
    """The block with its items' side learned anew, where it does that in every update or in one that is ``due``."""
    if block.empty or block.name not in registered() or SUMS in model.chosen:
        return None  # what is of sums over others too is not learned anew from the people that are here
    chosen, content = dict(model.chosen[block.name]), model.chosen.get("content", {})
    kind = model.config.block(block.name)
    if not due and not kind.refits:
        return None
    if content.get("few") and block.name not in content["own"] and not kind.refits:
        return None  # what sides from content were mixed with is not known any more
    graph = hetero_graph(ties.data, model.graph) if chosen.get("knowledge") else None
    return kind.followed(block, FitInputs(ties, graph), chosen)


def _table(rows: Any, columns: Sequence[str] | None, key: str = "user_id") -> pd.DataFrame:
    """Rows as a table with ids as text. Raises DataError for what is no table, and columns that there are not."""
    if not isinstance(rows, Iterable | None) or isinstance(rows, str | Mapping):
        raise DataError(f"updated: found {type(rows).__name__}; give a DataFrame, or a list of mappings, one a row")
    out = rows.reset_index(drop=True) if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows or ()))
    out = out.rename(columns=ALIASES)
    needed = ("user_id", "item_id") if columns else (key,)
    if out.empty:
        return pd.DataFrame({name: [] for name in needed})
    if lacking := [name for name in needed if name not in out]:
        raise DataError(f"updated: the table has no column {lacking[0]}; it has {', '.join(map(str, out.columns))}")
    if columns and (other := [name for name in out.columns if name not in columns]):
        raise DataError(f"updated: events have no column {other[0]!r}; there are {', '.join(columns)}")
    ids = {name: [as_id(value) for value in out[name].tolist()] for name in needed}
    if empty := [name for name, of in ids.items() if "" in of]:
        raise DataError(f"updated: a row has an empty {empty[0]}, which is no id; leave the row out")
    return out.assign(**{name: pd.Series(of, dtype=object) for name, of in ids.items()})


def _joined(data: Dataset, events: pd.DataFrame, items: pd.DataFrame, users: pd.DataFrame) -> tuple[Dataset, Ints]:
    """The data with what is new, and the numbers of the users whose events are new or who are, int64 (n,)."""
    user_ids, item_ids = events["user_id"].tolist(), events["item_id"].tolist()
    of_users = data.users.extended([*user_ids, *users["user_id"].tolist()])
    of_items = data.items.extended([*item_ids, *items["item_id"].tolist()])
    new = _events(data, events, of_users.numbers(user_ids), of_items.numbers(item_ids))
    if not len(new) and not len(items) and not len(users):
        return data, np.zeros(0, np.int64)
    against = data.events.norms if len(new) else data.events.against
    log = replace(data.events, against=against)
    if log.places is None and new.places is not None:
        log = replace(log, places=np.full((len(log), 2), np.nan, np.float32))
    log, order = log.joined(new)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    reviews = data.reviews.assign(event=place[data.reviews["event"].to_numpy(np.int64)])
    titles = _grown(data.item_titles, len(of_items))
    texts = _grown(data.item_text, len(of_items))
    numbers = of_items.numbers(items["item_id"].tolist())
    for name, column in (("title", titles), ("text", texts)):
        if name in items:
            told = items[name].notna().to_numpy()
            column[numbers[told]] = items[name][told].astype(str).to_numpy(object)
    out = replace(
        data,
        users=of_users,
        items=of_items,
        events=log,
        reviews=reviews,
        item_titles=titles,
        item_text=texts,
        user_text=_grown(data.user_text, len(of_users)),
        item_attributes=_attributes(data.item_attributes, items, "item_num", numbers, ("item_id", "title", "text")),
        user_attributes=_attributes(
            data.user_attributes, users, "user_num", of_users.numbers(users["user_id"].tolist()), ("user_id",)
        ),
        parts=data.parts if not len(new) else None,
    )
    if not len(new) and out == data:
        return data, np.zeros(0, np.int64)
    touched = np.union1d(new.user_nums, np.arange(data.n_users, len(of_users)))
    return out, touched.astype(np.int64)


def _events(data: Dataset, table: pd.DataFrame, user_nums: Ints, item_nums: Ints) -> Events:
    """New events in the order of a log, without those that are known. Raises DataError."""
    log, n = data.events, len(table)
    names = [kind.name for kind in log.kind_table]
    said = table["kind"].fillna(names[0]).astype(str).tolist() if "kind" in table else [names[0]] * n
    kinds = {name: kind_of(name, log) for name in sorted(set(said))}
    try:
        values = (
            pd.to_numeric(table["value"]).to_numpy(np.float32) if "value" in table else np.full(n, np.nan, np.float32)
        )
        times = (
            seconds(table["timestamp"], log).fillna(time.time()) if "timestamp" in table else np.full(n, time.time())
        )
        places = places_of(table, log)
    except (ValueError, TypeError) as error:
        raise DataError(unreadable(error)) from None
    numbers = np.array([kinds[name] for name in said], np.int64)
    on_scale(values, numbers, log)
    new = pd.DataFrame({"u": user_nums, "i": item_nums, "v": values, "k": numbers})
    new["t"] = np.asarray(times).astype(np.int64) if log.timestamps is not None else 0
    types = {"u": np.int64, "i": np.int64, "v": np.float32, "k": np.int64, "t": np.int64}
    new = new.astype(types).drop_duplicates()
    new["at"] = new.index  # the row of the table
    if log.timestamps is not None:  # without times every event is another one
        here = np.flatnonzero(np.isin(log.user_nums, user_nums))
        width = max(int(item_nums.max(initial=0)), data.n_items) + 1
        here = here[np.isin(log.user_nums[here] * width + log.item_nums[here], user_nums * width + item_nums)]
        known = pd.DataFrame({"u": log.user_nums[here], "i": log.item_nums[here], "v": log.values[here]})
        known = known.assign(k=log.kinds[here], t=log.timestamps[here])
        if len(known):
            merged = new.merge(known.astype(types).drop_duplicates(), how="left", indicator=True)
            new = merged[merged["_merge"] == "left_only"]
    first = 0 if log.order is None or not len(log) else int(log.order.max()) + 1
    new["o"] = np.arange(first, first + len(new))  # as they come, after all that is known
    new = new.sort_values(["u", "i", "t"], kind="stable")
    stamps = None if log.timestamps is None else new["t"].to_numpy(np.int64)
    return replace(
        log,
        user_nums=new["u"].to_numpy(np.int64),
        item_nums=new["i"].to_numpy(np.int64),
        values=new["v"].to_numpy(np.float32),
        kinds=new["k"].to_numpy(np.uint8),
        timestamps=stamps,
        places=None if places is None else places[new["at"].to_numpy(np.int64)],
        order=None if log.order is None else new["o"].to_numpy(np.int64),
    )


def _grown(column: Any, n: int) -> Any:
    """A column of texts with room for n."""
    out = np.full(n, "", object)
    out[: len(column)] = column
    return out


def _attributes(
    known: pd.DataFrame, table: pd.DataFrame, number: str, numbers: Ints, others: Sequence[str]
) -> pd.DataFrame:
    """The long table with what new rows say: of an attribute that they tell, in place of what was known of it, which
    nothing is where they tell an empty list."""
    told = [name for name in table.columns if name not in others]
    if not told or table.empty:
        return known
    wide = pd.DataFrame({number: numbers, **{str(name): table[name].to_numpy(object) for name in told}})
    new = wide.melt(number, var_name="\0key", value_name="\0value")  # an attribute may have any name
    new = new.set_axis([number, "key", "value"], axis=1)
    none = new[[isinstance(value, list | tuple) and not len(value) for value in new["value"]]]
    new = new.explode("value").dropna(subset="value")
    new = new.astype({"key": object}).assign(value=[_text(value) for value in new["value"]])
    if new.empty and none.empty:
        return known
    said = pd.concat([new, none.astype({"key": object})])[[number, "key"]]
    both = pd.MultiIndex.from_frame(known[[number, "key"]]), pd.MultiIndex.from_frame(said)
    parts = [known[~both[0].isin(both[1])], new]
    return pd.concat(parts, ignore_index=True).drop_duplicates(ignore_index=True)


def _text(value: Any) -> str:
    """A value as a file would hold it: a whole number in a column where some are missing has no decimals."""
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if whole else str(value)


def _texts(model: Learned, data: Dataset, items: pd.DataFrame, new: Ints) -> Floats | None:
    """Unit embeddings of new items' titles and texts, float32 (n, F); None where no block places texts. Raises
    OtherEncoderError for another encoder than the model was fitted with."""
    if not len(new) or model.profiles.of_texts is None:
        return None
    texts = [" ".join(filter(None, (str(data.item_titles[n]), str(data.item_text[n])))) for n in new]
    if not any(texts):
        return None
    from graphrec.features.encoder import check_encoder

    encoder = model.encoder()
    check_encoder(model.encoder_id, encoder)
    found = encoder.encode([text or " " for text in texts])
    return np.asarray(found * np.array([[bool(text)] for text in texts]), np.float32)


def _hearing(ties: Ties, touched: Ints) -> Ints:
    """These users and everybody who hears one of them, int64 (n,)."""
    heard = np.asarray(ties.friend_mean[:, touched].sum(axis=1)).ravel() > 0
    return np.union1d(touched, np.flatnonzero(heard)).astype(np.int64)
