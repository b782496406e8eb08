"""What a fitted model looks like on disk, inside the artifact folder. No pickle anywhere.

::

    config.toml           settings          profiles.safetensors  the arrays of every block, each under its name, and in
                                                                  its header when the model was fitted
    index.faiss           the MIPS index    users.parquet, items.parquet, history.parquet, friends.parquet
    item_attributes.parquet, user_attributes.parquet    reviews.parquet, external.json: what else was learned from
    report.json: what became of the data              index/00001.faiss …: instead of one index, shards
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
from graphrec.data.attributes import Column
from graphrec.data.dataset import Dataset
from graphrec.data.events import Events
from graphrec.data.kinds import Kind
from graphrec.data.readings import Norms
from graphrec.errors import ArtifactError, CorruptArtifactError
from graphrec.graph.nodes import nodes
from graphrec.model import artifact
from graphrec.model.card import card, metrics
from graphrec.model.model import Model
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.clearing import CLEARED, Clearing
from graphrec.profile.dense import empty_block
from graphrec.profile.gate import GATE, Gate
from graphrec.profile.profiles import Profiles
from graphrec.profile.shards import read, write
from graphrec.types import Vocabulary, frozen
from kg.types import ExternalTriples

T = TypeVar("T")
ARRAYS = "profiles.safetensors"
_REVIEWS: Any = {
    "review_id": str,
    "event": "int64",
    "user_num": "int64",
    "item_num": "int64",
    "summary": str,
    "text": str,
}
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
        if model.profiles.clearing is not None:
            held |= {f"{CLEARED}.{part}": value for part, value in model.profiles.clearing.arrays().items()}
        if model.prices is not None:
            held["fair.prices"] = model.prices
        save_file({name: np.ascontiguousarray(value) for name, value in held.items()}, folder / ARRAYS)
        write(folder, model.index)
        data = model.data
        written = data.user_text if model.config.features.user_text else [""] * data.n_users
        people = pd.DataFrame({"user_id": data.users.ids, "text": written}, dtype=object)
        people.to_parquet(folder / "users.parquet")
        things = {"item_id": data.items.ids, "title": data.item_titles, "text": data.item_text}
        pd.DataFrame(things, dtype=object).to_parquet(folder / "items.parquet")
        data.reviews.astype(_REVIEWS).to_parquet(folder / "reviews.parquet")
        (folder / "external.json").write_text(json.dumps(_outside(data.external)) + "\n", "utf-8")
        _history(data.events).to_parquet(folder / "history.parquet")
        friends = dict(zip(("user_num", "friend_num"), data.social_edge_index, strict=True))
        pd.DataFrame(friends).to_parquet(folder / "friends.parquet")
        data.item_attributes.astype({"key": str, "value": str}).to_parquet(folder / "item_attributes.parquet")
        of_people, _ = _people(model)
        of_people.astype({"key": str, "value": str}).to_parquet(folder / "user_attributes.parquet")
        (folder / "report.json").write_text(json.dumps(_report(data), indent=2, ensure_ascii=False) + "\n", "utf-8")
        kg.store.save(model.graph, folder / "kg")
        (folder / "metrics.json").write_text(json.dumps(metrics(model), indent=2) + "\n", "utf-8")
        (folder / "README.md").write_text(card(model), "utf-8")

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
    user_table, item_table = (pd.read_parquet(path / f"{of}.parquet") for of in ("users", "items"))
    users = Vocabulary(user_table["user_id"], "user", ordered=True)
    items = Vocabulary(item_table["item_id"], "item", ordered=True)
    for vocabulary in (users, items):
        if manifest["vocabularies"][vocabulary.kind] != vocabulary.fingerprint:
            raise CorruptArtifactError(f"{path}: the {vocabulary.kind} ids do not match the manifest; fit again")
    arrays = load_file(path / ARRAYS)
    blocks = tuple(_blocks(arrays, manifest["blocks"], (len(users), len(items))))
    clearing = Clearing.of(config.fair.clear, _own(arrays, CLEARED))
    profiles = Profiles(blocks, Gate.of(manifest["chosen"].get(GATE)), clearing)
    shape = (len(items), sum(b.items.shape[1] for b in profiles.dense))
    return Model(
        data=_dataset(path, manifest, (users, items), user_table, item_table),
        profiles=profiles,
        index=read(path, config.retrieve, shape),
        graph=kg.store.load(path / "kg"),
        chosen=manifest["chosen"],
        config=config,
        version=manifest["model_version"],
        counts=manifest["counts"],
        encoder_id=manifest["encoder"],
        behind=manifest["behind"],
        prices=arrays.get("fair.prices"),
    )


def _words(name: str, stored: Mapping[str, Any]) -> Words:
    """How a block is put into sentences; earlier models lack what it says of a single item."""
    return _exactly(Words, {"like": registered()[name].words.like, "rest": "", **stored})


def _brought(path: Path, names: Iterable[str]) -> None:
    """Raises ArtifactError where nobody brings one of the blocks; its section of settings is unknown too."""
    for name in names:
        if name not in registered():
            raise ArtifactError(
                f"{path}: holds the block {name!r}, which no installed package brings; install the one that registers "
                "it under graphrec.blocks"
            )


def _own(arrays: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key.removeprefix(f"{name}."): value for key, value in arrays.items() if key.startswith(f"{name}.")}


def _blocks(
    arrays: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]], shape: tuple[int, int]
) -> list[FittedBlock]:
    """The blocks that the manifest describes."""
    out: list[FittedBlock] = []
    for name, settings in described.items():
        if settings.get("empty"):
            out.append(replace(empty_block(name, *shape), words=_words(name, settings["words"])))
            continue
        block = registered()[name].Fitted.from_arrays(_own(arrays, name), settings)
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
    """The log of events: user_num, item_num, value, kind and, where known, the time, the place in the history, and
    where it was."""
    columns: dict[str, Any] = {"user_num": events.user_nums, "item_num": events.item_nums, "value": events.values}
    columns["kind"] = events.kinds
    if events.timestamps is not None:
        columns["timestamp"] = events.timestamps
    if events.order is not None:
        columns["order"] = events.order
    if events.places is not None:
        columns |= {"latitude": events.places[:, 0], "longitude": events.places[:, 1]}
    return pd.DataFrame(columns)


def _outside(external: ExternalTriples) -> dict[str, Any]:
    """External triples as JSON; how they were found is not told."""
    return {"triples": external.triples, "item_entities": external.item_entities, "labels": external.labels}


def _dataset(
    path: Path,
    manifest: dict[str, Any],
    vocabularies: tuple[Vocabulary, Vocabulary],
    people: pd.DataFrame,
    things: pd.DataFrame,
) -> Dataset:
    """The training data: what serving and explaining need, and the texts and triples that learning anew does."""
    users, items = vocabularies
    outside = json.loads((path / "external.json").read_text("utf-8"))
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
        history[["latitude", "longitude"]].to_numpy(np.float32) if "latitude" in history else None,
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
        reviews=pd.read_parquet(path / "reviews.parquet").astype(
            dict.fromkeys(("review_id", "summary", "text"), object)
        ),
        item_titles=things["title"].to_numpy(object),
        item_text=things["text"].to_numpy(object),
        user_text=people["text"].to_numpy(object),
        item_attributes=pd.read_parquet(path / "item_attributes.parquet"),
        user_attributes=pd.read_parquet(path / "user_attributes.parquet"),
        item_columns=tuple(_exactly(Column, column) for column in manifest["item_columns"]),
        user_columns=tuple(_exactly(Column, column) for column in manifest["user_columns"]),
        external=ExternalTriples(
            tuple((h, r, t) for h, r, t in outside["triples"]), outside["item_entities"], outside["labels"]
        ),
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
