"""A model that was written under the released schema is read, and answers as it did.

``released/<schema version>/`` holds ``model``, an artifact, and ``answers.json``, what it answered. Whoever changes the
format raises ``artifact.SCHEMA_VERSION`` and adds a folder: ``python -m tests.model.test_released``. Older folders
stay; they must be refused, each with the remedy.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

import graphrec as gr
from graphrec.data.dataset import Dataset, build
from graphrec.data.kinds import Kind
from graphrec.errors import SchemaVersionError
from graphrec.model import artifact
from graphrec.recommender import Recommender

RELEASED = Path(__file__).parent / "released"
CURRENT = RELEASED / str(artifact.SCHEMA_VERSION)
ASKED: list[dict[str, Any]] = [
    {"users": "u0"},
    {"users": "u5", "history": ["i0"]},
    {"users": "u2", "filter": "price < 5", "seen": "allow"},
    {"users": "pal"},
    {"users": None, "histories": [["i1", "i3"]]},
]


def world() -> Dataset:
    """Two tastes, of ratings with times; friends, prices and cities."""
    rows = [
        (f"u{u}", f"i{(u % 2) + 2 * ((u * 5 + n) % 8)}", 5.0 - n % 4, 1_600_000_000 + 86_400 * (7 * u + n))
        for u in range(16)
        for n in range(5)
    ]
    prices = [(f"i{i}", "price", str(i)) for i in range(16)]
    return build(
        "released",
        pd.DataFrame(rows, columns=["user_id", "item_id", "value", "timestamp"]),
        kinds=[Kind("review", values="rating", scale=(1, 5))],
        items=pd.DataFrame({"item_id": [f"i{i}" for i in range(16)], "title": [f"Thing {i}" for i in range(16)]}),
        friends=pd.DataFrame({"user_id": ["pal", "u0"], "friend_id": ["u2", "u4"]}),
        item_attributes=pd.DataFrame(prices, columns=["item_id", "key", "value"]),
        user_attributes=pd.DataFrame(
            {"user_id": [f"u{u}" for u in range(16)], "key": "city", "value": ["c0", "c1"] * 8}
        ),
    )


def fitted() -> Recommender:
    """Blocks of every stored form: a prior, dense sides, sparse ones."""
    config = gr.Config().with_(
        blocks="popularity,spectral,neighbours", kg={"enabled": False}, features={"enabled": False}
    )
    reading = {"reading": "liked"}
    chosen = {
        "popularity": {**reading, "half_life": 30.0},
        "spectral": {**reading, "alpha": 0.4, "rank": 4, "beta": 0.4, "power": 0.4, "friends": 0.3, "knowledge": 0.0},
        "neighbours": {**reading, "n": 5, "alpha": 0.5, "beta": 0.4, "friends": 0.0, "knowledge": 0.0},
        "weights": {"popularity": 0.3, "spectral": 1.0, "neighbours": 0.5},
    }
    return Recommender(config).fit(world(), chosen)


def answers(model: Recommender) -> dict[str, Any]:
    """What is asked of it: lists, an explanation, likeness."""
    lists = [model.recommend(k=6, **asked) for asked in ASKED]
    best = lists[0]["item_id"].iat[0]
    why = model.explain("u0", str(best))
    near = model.similar("i2", 4)
    return {
        "lists": [{"items": t["item_id"].tolist(), "scores": t["score"].tolist()} for t in lists],
        "notes": [t.attrs["degraded"] for t in lists],
        "explained": {"item": best, "score": why.score, "blocks": dict(why.blocks), "shares": dict(why.shares)},
        "similar": {"items": near["item_id"].tolist(), "scores": near["score"].tolist()},
        "version": model.fitted.version,
    }


def close(found: Any, expected: Any) -> None:
    """Equal, but for the rounding of numbers."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            close(found[key], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            close(one, other)
    else:
        assert found == (pytest.approx(expected, abs=1e-5) if isinstance(expected, float) else expected)


def test_the_released_model_answers_as_it_did() -> None:
    assert CURRENT.is_dir(), f"schema {artifact.SCHEMA_VERSION} has no released model; add it as this file says"
    close(answers(gr.load(CURRENT / "model")), json.loads((CURRENT / "answers.json").read_text("utf-8")))


def _form(folder: Path) -> dict[str, Any]:
    """All names in an artifact: files, fields, arrays with their types, columns."""
    manifest = json.loads((folder / artifact.MANIFEST).read_text("utf-8"))
    arrays = load_file(folder / "profiles.safetensors")
    return {
        "files": sorted(manifest["files"]),
        "fields": {key: sorted(v) if isinstance(v, dict) else type(v).__name__ for key, v in manifest.items()},
        "blocks": {name: sorted(settings) for name, settings in manifest["blocks"].items()},
        "arrays": {name: (str(array.dtype), array.ndim) for name, array in arrays.items()},
        "columns": {
            file.name: [(f.name, str(f.type)) for f in pq.read_schema(file)] for file in folder.rglob("*.parquet")
        },
    }


def test_what_is_written_now_has_the_released_form(tmp_path: Path) -> None:
    fitted().save(tmp_path / "model")
    told = "the format has changed: raise artifact.SCHEMA_VERSION and add a released model, as this file says"
    assert _form(tmp_path / "model") == _form(CURRENT / "model"), told


def _as_schema(folder: Path, version: int) -> None:
    """Rewrites what a manifest says its schema is."""
    file = folder / artifact.MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"schema_version": version}), "utf-8")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / artifact.CHECKSUM).write_text(f"{digest}  {artifact.MANIFEST}\n", "utf-8")


@pytest.mark.parametrize("version", range(1, artifact.SCHEMA_VERSION))
def test_an_older_schema_is_refused_with_the_remedy(version: int, tmp_path: Path) -> None:
    older = RELEASED / str(version) / "model"
    shutil.copytree(older if older.exists() else CURRENT / "model", tmp_path / "model")
    _as_schema(tmp_path / "model", version)
    with pytest.raises(SchemaVersionError) as caught:
        gr.load(tmp_path / "model")
    says = f"found schema version {version}, expected {artifact.SCHEMA_VERSION}; fit again"
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def main() -> None:
    """Writes the released model of the schema that the code has. Raises where there is one already."""
    CURRENT.mkdir(parents=True)
    model = fitted()
    model.save(CURRENT / "model")
    (CURRENT / ".model.graphrec-lock").unlink(missing_ok=True)
    text = json.dumps(answers(model), indent=1, default=np.ndarray.tolist)
    (CURRENT / "answers.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
