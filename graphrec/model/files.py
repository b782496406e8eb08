"""What a fitted model looks like on disk, inside the artifact folder. No pickle anywhere.

::

    config.toml           settings          profiles.safetensors  the arrays of every block, each under its name
    index.faiss           the MIPS index    users.parquet, items.parquet, history.parquet, friends.parquet
    item_attributes.parquet, user_attributes.parquet    report.json: what became of the data
    kg/                   knowledge graph   metrics.json, README.md (a model card)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save_file

import kg.store
from graphrec.blocks.registry import registered
from graphrec.config import Config
from graphrec.data import tables
from graphrec.data.attributes import Column
from graphrec.data.dataset import Dataset
from graphrec.data.events import Events
from graphrec.data.kinds import Kind
from graphrec.data.readings import Norms
from graphrec.errors import ArtifactError, CorruptArtifactError
from graphrec.graph.nodes import nodes
from graphrec.model import artifact
from graphrec.model.model import Model
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.dense import empty_block
from graphrec.profile.gate import GATE, Gate
from graphrec.profile.index import Index
from graphrec.profile.profiles import Profiles
from graphrec.types import Vocabulary, frozen

T = TypeVar("T")
FIELDS = (  # of the manifest
    *("model_version", "name", "encoder", "counts", "behind", "kinds", "norms", "directed", "exposure"),
    *("item_columns", "user_columns", "vocabularies", "blocks", "chosen"),
)


def save(path: Path, model: Model) -> None:
    """Write a model as an artifact; see ``artifact.write`` for what a failure leaves."""
    described = {b.name: ({}, {"empty": True}) if b.empty else b.arrays() for b in model.profiles.blocks}

    def fill(folder: Path) -> None:
        (folder / "config.toml").write_text(model.config.to_toml(), "utf-8")
        held = {f"{name}.{part}": value for name, (arrays, _) in described.items() for part, value in arrays.items()}
        save_file({name: np.ascontiguousarray(value) for name, value in held.items()}, folder / "profiles.safetensors")
        model.index.save(folder / "index.faiss")
        data = model.data
        pd.DataFrame({"user_id": data.users.ids}).to_parquet(folder / "users.parquet")
        pd.DataFrame({"item_id": data.items.ids, "title": data.item_titles}).to_parquet(folder / "items.parquet")
        _history(data.events).to_parquet(folder / "history.parquet")
        friends = dict(zip(("user_num", "friend_num"), data.social_edge_index, strict=True))
        pd.DataFrame(friends).to_parquet(folder / "friends.parquet")
        data.item_attributes.astype({"key": str, "value": str}).to_parquet(folder / "item_attributes.parquet")
        people, _ = _people(model)
        people.astype({"key": str, "value": str}).to_parquet(folder / "user_attributes.parquet")
        (folder / "report.json").write_text(json.dumps(_report(data), indent=2, ensure_ascii=False) + "\n", "utf-8")
        kg.store.save(model.graph, folder / "kg")
        (folder / "metrics.json").write_text(json.dumps(_metrics(model), indent=2) + "\n", "utf-8")
        (folder / "README.md").write_text(_card(model), "utf-8")

    artifact.write(path, fill, _manifest(model, {name: settings for name, (_, settings) in described.items()}))


def load(path: Path) -> Model:
    """Read an artifact back. Raises ArtifactError and its kinds for whatever is not as it was written."""
    manifest = artifact.read(path)
    if lacking := [name for name in FIELDS if name not in manifest]:
        raise CorruptArtifactError(f"{path / artifact.MANIFEST}: lacks {', '.join(lacking)}; fit again")
    try:
        return _load(path, manifest)
    except (KeyError, TypeError) as error:
        what = f"lack {error}" if isinstance(error, KeyError) else f"are not as expected ({error})"
        raise CorruptArtifactError(f"{path}: its manifest or arrays {what}; fit again") from None


def _load(path: Path, manifest: dict[str, Any]) -> Model:
    _brought(path, manifest["blocks"])
    config = Config.load(path / "config.toml")
    users = Vocabulary(pd.read_parquet(path / "users.parquet")["user_id"], "user", ordered=True)
    item_table = pd.read_parquet(path / "items.parquet")
    items = Vocabulary(item_table["item_id"], "item", ordered=True)
    for vocabulary in (users, items):
        if manifest["vocabularies"][vocabulary.kind] != vocabulary.fingerprint:
            raise CorruptArtifactError(f"{path}: the {vocabulary.kind} ids do not match the manifest; fit again")
    blocks = tuple(_blocks(path, manifest["blocks"], (len(users), len(items))))
    profiles = Profiles(blocks, Gate.of(manifest["chosen"].get(GATE)))
    shape = (len(items), sum(b.items.shape[1] for b in profiles.dense))
    return Model(
        data=_dataset(path, manifest, users, items, item_table["title"]),
        profiles=profiles,
        index=Index.load(path / "index.faiss", config.retrieve, shape),
        graph=kg.store.load(path / "kg"),
        chosen=manifest["chosen"],
        config=config,
        version=manifest["model_version"],
        counts=manifest["counts"],
        encoder_id=manifest["encoder"],
        behind=manifest["behind"],
    )


def _words(name: str, stored: Mapping[str, Any]) -> Words:
    """How a block is put into sentences; earlier models lack what it says of a single item."""
    return _exactly(Words, {"like": registered()[name].words.like, **stored})


def _brought(path: Path, names: Iterable[str]) -> None:
    """Raises ArtifactError where nobody brings one of the blocks; its section of settings is unknown too."""
    for name in names:
        if name not in registered():
            raise ArtifactError(
                f"{path}: holds the block {name!r}, which no installed package brings; install the one that registers "
                "it under graphrec.blocks"
            )


def _blocks(path: Path, described: Mapping[str, Mapping[str, Any]], shape: tuple[int, int]) -> list[FittedBlock]:
    """The blocks that the manifest describes."""
    arrays = load_file(path / "profiles.safetensors")
    out: list[FittedBlock] = []
    for name, settings in described.items():
        if settings.get("empty"):
            out.append(replace(empty_block(name, *shape), words=_words(name, settings["words"])))
            continue
        own = {key.removeprefix(f"{name}."): value for key, value in arrays.items() if key.startswith(f"{name}.")}
        block = registered()[name].Fitted.from_arrays(own, settings)
        out.append(replace(block, words=_words(name, settings["words"])))  # type: ignore[type-var]
    return out


def _manifest(model: Model, blocks: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    data = model.data
    words = model.profiles.words
    return {
        "model_version": model.version,
        "name": data.name,
        "encoder": model.encoder_id,
        "counts": dict(model.counts),
        "behind": model.behind,
        "kinds": [asdict(kind) for kind in data.events.kind_table],
        "norms": _norms(data.events.norms),
        "directed": data.directed,
        "exposure": data.events.exposure,
        "item_columns": [asdict(column) for column in data.item_columns],
        "user_columns": [asdict(column) for column in _people(model)[1]],
        "vocabularies": {"user": data.users.fingerprint, "item": data.items.fingerprint},
        "blocks": {name: {**settings, "words": asdict(words[name])} for name, settings in blocks.items()},
        "chosen": model.chosen,
    }


def _norms(norms: Norms) -> dict[str, Any]:
    """What strengths are measured against; a kind without ratings has none."""
    return {**asdict(norms), "ratings": [None if np.isnan(mean) else mean for mean in norms.ratings]}


def _history(events: Events) -> pd.DataFrame:
    """The log of events: user_num, item_num, value, kind and, where known, timestamp and place in the history."""
    columns = {"user_num": events.user_nums, "item_num": events.item_nums, "value": events.values, "kind": events.kinds}
    if events.timestamps is not None:
        columns["timestamp"] = events.timestamps
    if events.order is not None:
        columns["order"] = events.order
    return pd.DataFrame(columns)


def _dataset(
    path: Path, manifest: dict[str, Any], users: Vocabulary, items: Vocabulary, titles: pd.Series[Any]
) -> Dataset:
    """The training data that serving and explaining need: history, friends and titles. Reviews live in the graph."""
    history = pd.read_parquet(path / "history.parquet")
    friends = pd.read_parquet(path / "friends.parquet")
    times = history["timestamp"].to_numpy(np.int64) if "timestamp" in history else None
    kinds = tuple(_exactly(Kind, {**k, "scale": k["scale"] and tuple(k["scale"])}) for k in manifest["kinds"])
    norms = manifest["norms"]
    rest = {name: norms[name] for name in ("liked", "highest", "exposure")}
    events = Events(
        history["user_num"].to_numpy(np.int64),
        history["item_num"].to_numpy(np.int64),
        history["value"].to_numpy(np.float32),
        history["kind"].to_numpy(np.uint8),
        times,
        kind_table=kinds,
        exposure=manifest["exposure"],
        order=history["order"].to_numpy(np.int64) if "order" in history else None,
        against=Norms(tuple(np.nan if m is None else m for m in norms["ratings"]), **rest),
    )
    return Dataset(
        name=manifest["name"],
        users=users,
        items=items,
        events=events,
        social_edge_index=frozen(friends.to_numpy().T, np.int64),
        directed=manifest["directed"],
        reviews=tables.no_reviews(),
        item_titles=titles.to_numpy(object),
        item_text=np.full(len(items), "", object),
        user_text=np.full(len(users), "", object),
        item_attributes=pd.read_parquet(path / "item_attributes.parquet"),
        user_attributes=pd.read_parquet(path / "user_attributes.parquet"),
        item_columns=tuple(_exactly(Column, column) for column in manifest["item_columns"]),
        user_columns=tuple(_exactly(Column, column) for column in manifest["user_columns"]),
    )


def _exactly(of: Callable[..., T], document: Mapping[str, Any]) -> T:
    """A dataclass of exactly these fields. Raises KeyError for one that lacks, default or not."""
    return of(**{f.name: document[f.name] for f in fields(of)})  # type: ignore[arg-type]


def _people(model: Model) -> tuple[pd.DataFrame, list[Column]]:
    """The users' attributes that the artifact holds, and their types.

    Of people only what was learned from, as the labels of nodes: nothing sensitive, nothing that says nothing. And, as
    it came, which of them agreed to be named.
    """
    table, columns = model.data.user_attributes, model.data.user_columns
    said = (table["key"] == model.config.explain.agreed).to_numpy()
    learned = nodes(table[~said], columns)
    kept = [Column(name, "category") for name in sorted(map(str, learned["key"].unique()))]
    kept += [column for column in columns if column.name == model.config.explain.agreed]
    return pd.concat([learned, table[said]], ignore_index=True), kept


def _report(data: Dataset) -> dict[str, Any]:
    """The report of the data, with why an attribute was left out while learning."""
    document = data.report.to_json()
    unused = {column.name: column.why_not for column in (*data.item_columns, *data.user_columns) if column.why_not}
    for column in document["columns"]:
        if column["role"] == "attribute" and not column["why_not"]:
            column["why_not"] = unused.get(column["column"], "")
    return document


def _metrics(model: Model) -> dict[str, Any]:
    """The validation figures that are the model's own; of choices that were taken over, whose they are."""
    found = dict(model.chosen.get("validation", {}))
    by = {"chosen_by": found.pop("chosen_by")} if "chosen_by" in found else {}
    return {"validation": found, **by}


def _card(model: Model) -> str:
    """A model card after Mitchell et al., FAT* 2019, with only what is known."""
    counts = "".join(f"| {what} | {n:,} |\n" for what, n in model.counts.items())
    blocks = "".join(f"| {b.name} | {b.size} | {b.weight:.3g} |\n" for b in model.profiles.blocks)
    found = _metrics(model)
    if "chosen_by" in found:
        how = (
            f"Hyper-parameters and weights were taken over from the model `{found['chosen_by']}`; nothing was chosen\n"
            "or measured on this data. `graphrec evaluate` measures on a test part, or on later data."
        )
    else:
        figures = ", ".join(f"{k} {v}" for k, v in found["validation"].items())
        how = (
            f"Hyper-parameters and weights were chosen on a validation part ({figures}), then everything was fitted\n"
            "on train and validation together. `metrics.json` holds the same figures; `graphrec evaluate` measures on\n"
            "a test part, or on later data."
        )
    return f"""# Model card: {model.data.name}

A graphrec model, version `{model.version}`. It recommends items to the users of one data set and explains why.

| trained on | |
| --- | --- |
{counts}
| block | size | weight |
| --- | --- | --- |
{blocks}
{how}

**Holds personal data:** user ids, what each user took, friendships, and the text of reviews. Treat it as such.
**Not for:** users or items of another catalogue; decisions about people.
"""
