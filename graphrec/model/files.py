"""What a fitted model looks like on disk, inside the artifact folder. No pickle anywhere.

::

    config.toml           settings          profiles.safetensors  every dense block's arrays, and popularity
    neighbours.npz        sparse blocks
    index.faiss           the MIPS index    users.parquet, items.parquet, history.parquet, friends.parquet
    item_attributes.parquet, user_attributes.parquet    report.json: what became of the data
    kg/                   knowledge graph   metrics.json, README.md (a model card)
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from safetensors.numpy import load_file, save_file

import kg.store
from graphrec.config import Config
from graphrec.data import tables
from graphrec.data.attributes import Column
from graphrec.data.dataset import Dataset
from graphrec.data.events import Events
from graphrec.data.kinds import Kind
from graphrec.errors import CorruptArtifactError
from graphrec.graph.nodes import nodes
from graphrec.model import artifact
from graphrec.model.fitted import Fitted
from graphrec.profile.index import Index
from graphrec.profile.profiles import AnyBlock, NeighbourBlock, ProfileBlock, Profiles
from graphrec.types import Floats, Vocabulary, frozen

ARRAYS = ("users", "items", "history", "scale", "text_map")


def save(path: Path, fitted: Fitted, config: Config, encoder_id: str | None) -> None:
    """Write a fitted model as an artifact; see ``artifact.write`` for what a failure leaves."""

    def fill(folder: Path) -> None:
        (folder / "config.toml").write_text(config.to_toml(), "utf-8")
        save_file(_arrays(fitted), folder / "profiles.safetensors")
        np.savez_compressed(folder / "neighbours.npz", **_sparse_arrays(fitted.profiles))  # type: ignore[arg-type]
        fitted.index.save(folder / "index.faiss")
        data = fitted.data
        pd.DataFrame({"user_id": data.users.ids}).to_parquet(folder / "users.parquet")
        pd.DataFrame({"item_id": data.items.ids, "title": data.item_titles}).to_parquet(folder / "items.parquet")
        _history(data.events).to_parquet(folder / "history.parquet")
        friends = dict(zip(("user_num", "friend_num"), data.social_edge_index, strict=True))
        pd.DataFrame(friends).to_parquet(folder / "friends.parquet")
        data.item_attributes.astype({"key": str, "value": str}).to_parquet(folder / "item_attributes.parquet")
        # Of people only what was learned from: nothing sensitive, nothing that says nothing.
        people = nodes(data.user_attributes, data.user_columns)
        people.astype({"key": str, "value": str}).to_parquet(folder / "user_attributes.parquet")
        (folder / "report.json").write_text(json.dumps(_report(data), indent=2, ensure_ascii=False) + "\n", "utf-8")
        kg.store.save(fitted.graph, folder / "kg")
        validation = fitted.chosen.get("validation", {})
        (folder / "metrics.json").write_text(json.dumps({"validation": validation}, indent=2) + "\n", "utf-8")
        (folder / "README.md").write_text(_card(fitted), "utf-8")

    artifact.write(path, fill, _manifest(fitted, encoder_id))


def load(path: Path) -> tuple[Fitted, Config]:
    """Read an artifact back. Raises ArtifactError and its kinds for whatever is not as it was written."""
    manifest = artifact.read(path)
    config = Config.load(path / "config.toml")
    arrays = load_file(path / "profiles.safetensors")
    with np.load(path / "neighbours.npz", allow_pickle=False) as stored:
        sparse = {name: stored[name] for name in stored.files}
    users = Vocabulary(pd.read_parquet(path / "users.parquet")["user_id"], "user")
    item_table = pd.read_parquet(path / "items.parquet")
    items = Vocabulary(item_table["item_id"], "item")
    for vocabulary in (users, items):
        if manifest["vocabularies"][vocabulary.kind] != vocabulary.fingerprint:
            raise CorruptArtifactError(f"{path}: the {vocabulary.kind} ids do not match the manifest; fit again")
    shape = (len(users), len(items))
    specs = manifest["blocks"]
    profiles = Profiles(tuple(_block(s, arrays) if s["dim"] else _sparse_block(s, sparse, shape) for s in specs))
    shape = (len(items), sum(b.width for b in profiles.dense))
    fitted = Fitted(
        data=_dataset(path, manifest, users, items, item_table["title"]),
        graph=kg.store.load(path / "kg"),
        profiles=profiles,
        popularity=arrays["popularity"],
        index=Index.load(path / "index.faiss", config.retrieve, shape, profiles.prior),
        chosen=manifest["chosen"],
        version=manifest["model_version"],
    )
    return fitted, config


def _arrays(fitted: Fitted) -> dict[str, Floats]:
    out = {"popularity": np.ascontiguousarray(fitted.popularity, np.float32)}
    for block in fitted.profiles.blocks:
        for name in ARRAYS if isinstance(block, ProfileBlock) else ():
            value = getattr(block, name)
            if value is not None and not (name == "history" and value is block.items):
                out[f"{block.name}.{name}"] = np.ascontiguousarray(value, np.float32)
    return out


def _sparse_arrays(profiles: Profiles) -> dict[str, np.ndarray[Any, Any]]:
    out: dict[str, np.ndarray[Any, Any]] = {}
    for block in profiles.blocks:
        if isinstance(block, NeighbourBlock):
            out[f"{block.name}.scale"] = block.scale
            for side, matrix in (("users", block.users), ("items", block.items)):
                out |= {f"{block.name}.{side}.{part}": getattr(matrix, part) for part in ("data", "indices", "indptr")}
    return out


def _manifest(fitted: Fitted, encoder_id: str | None) -> dict[str, Any]:
    data = fitted.data
    return {
        "model_version": fitted.version,
        "name": data.name,
        "encoder": encoder_id,
        "counts": dict(data.counts()),
        "kinds": [asdict(kind) for kind in data.events.kind_table],
        "directed": data.directed,
        "exposure": data.events.exposure,
        "item_columns": [asdict(column) for column in data.item_columns],
        "user_columns": [{"name": n, "type": "category"} for n in _learned(data)],
        "vocabularies": {"user": data.users.fingerprint, "item": data.items.fingerprint},
        "blocks": [
            {
                "name": b.name,
                "weight": b.weight,
                "dim": b.width if isinstance(b, ProfileBlock) else 0,  # 0: a sparse block
                "linear": b.linear,
                "reading": b.reading,
                "friend_weight": b.friend_weight,
                "damping": b.damping if isinstance(b, ProfileBlock) else 0.0,
                "prior": b.prior if isinstance(b, ProfileBlock) else 0,
                "history_is_items": isinstance(b, ProfileBlock) and b.history is b.items,
            }
            for b in fitted.profiles.blocks
        ],
        "chosen": fitted.chosen,
    }


def _block(spec: dict[str, Any], arrays: dict[str, Floats]) -> ProfileBlock:
    parts: dict[str, Any] = {name: arrays.get(f"{spec['name']}.{name}") for name in ARRAYS}
    users, items = parts.pop("users"), parts.pop("items")
    assert users is not None
    assert items is not None
    items = frozen(items, np.float32)
    if spec["history_is_items"]:
        parts["history"] = items
    return ProfileBlock(
        spec["name"],
        users,
        items,
        weight=spec["weight"],
        linear=spec["linear"],
        friend_weight=spec["friend_weight"],
        damping=spec["damping"],
        prior=spec["prior"],
        reading=spec["reading"],
        **parts,
    )


def _sparse_block(spec: dict[str, Any], arrays: dict[str, Any], shape: tuple[int, int]) -> NeighbourBlock:
    def matrix(side: str, rows: int) -> sp.csr_matrix:
        parts = tuple(arrays[f"{spec['name']}.{side}.{part}"] for part in ("data", "indices", "indptr"))
        return sp.csr_matrix(parts, shape=(rows, shape[1]))

    return NeighbourBlock(
        spec["name"],
        matrix("users", shape[0]),
        matrix("items", shape[1]),
        arrays[f"{spec['name']}.scale"],
        weight=spec["weight"],
        friend_weight=spec["friend_weight"],
        reading=spec["reading"],
    )


def _history(events: Events) -> pd.DataFrame:
    """The log of events: user_num, item_num, value, kind and, where known, timestamp."""
    columns = {"user_num": events.user_nums, "item_num": events.item_nums, "value": events.values, "kind": events.kinds}
    if events.timestamps is not None:
        columns["timestamp"] = events.timestamps
    return pd.DataFrame(columns)


def _dataset(
    path: Path, manifest: dict[str, Any], users: Vocabulary, items: Vocabulary, titles: pd.Series[Any]
) -> Dataset:
    """The training data that serving and explaining need: history, friends and titles. Reviews live in the graph."""
    history = pd.read_parquet(path / "history.parquet")
    friends = pd.read_parquet(path / "friends.parquet")
    times = history["timestamp"].to_numpy(np.int64) if "timestamp" in history else None
    kinds = tuple(Kind(**{**k, "scale": k["scale"] and tuple(k["scale"])}) for k in manifest["kinds"])
    events = Events(
        history["user_num"].to_numpy(np.int64),
        history["item_num"].to_numpy(np.int64),
        history["value"].to_numpy(np.float32),
        history["kind"].to_numpy(np.uint8),
        times,
        kind_table=kinds,
        exposure=manifest["exposure"],
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
        item_columns=tuple(Column(**column) for column in manifest["item_columns"]),
        user_columns=tuple(Column(**column) for column in manifest["user_columns"]),
    )


def _learned(data: Dataset) -> list[str]:
    """The users' attributes that the artifact holds, as the labels of nodes."""
    return sorted(map(str, nodes(data.user_attributes, data.user_columns)["key"].unique()))


def _report(data: Dataset) -> dict[str, Any]:
    """The report of the data, with why an attribute was left out while learning."""
    document = data.report.to_json()
    unused = {column.name: column.why_not for column in (*data.item_columns, *data.user_columns) if column.why_not}
    for column in document["columns"]:
        if column["role"] == "attribute" and not column["why_not"]:
            column["why_not"] = unused.get(column["column"], "")
    return document


def _size(block: AnyBlock) -> str:
    return f"{block.width} dimensions" if isinstance(block, ProfileBlock) else f"{block.items.nnz:,} links"


def _card(fitted: Fitted) -> str:
    """A model card after Mitchell et al., FAT* 2019, with only what is known."""
    counts = "".join(f"| {what} | {n:,} |\n" for what, n in fitted.data.counts().items())
    blocks = "".join(f"| {b.name} | {_size(b)} | {b.weight:.3g} |\n" for b in fitted.profiles.blocks)
    validation = ", ".join(f"{k} {v}" for k, v in fitted.chosen.get("validation", {}).items())
    return f"""# Model card: {fitted.data.name}

A graphrec model, version `{fitted.version}`. It recommends items to the users of one data set and explains why.

| trained on | |
| --- | --- |
{counts}
| block | size | weight |
| --- | --- | --- |
{blocks}
Hyper-parameters and weights were chosen on a validation part ({validation}), then everything was fitted on train and
validation together. `metrics.json` holds the same figures; `graphrec evaluate` measures on a test part.

**Holds personal data:** user ids, what each user took, friendships, and the text of reviews. Treat it as such.
**Not for:** users or items of another catalogue; decisions about people.
"""
