"""A model in a folder: it answers the same when it is read back, and says what is wrong where it is not as written."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import graphrec as gr
from graphrec.data.attributes import Column
from graphrec.errors import ArtifactError, CorruptArtifactError
from graphrec.model import artifact
from graphrec.recommender import Recommender
from tests.model.shop import QUICK, fitted, shop, town


@pytest.fixture(scope="module")
def model() -> Recommender:
    return fitted(shop())


@pytest.fixture(scope="module")
def folder(model: Recommender, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "m"
    model.save(path)
    return path


def test_a_saved_model_answers_the_same(model: Recommender, folder: Path) -> None:
    loaded = gr.load(folder)
    pd.testing.assert_frame_equal(loaded.recommend("u1", 8), model.recommend("u1", 8))
    assert loaded.explain("u1", "i2").to_json() == model.explain("u1", "i2").to_json()
    baskets = [m.explain(None, "i5", history=["i1", "i3"]).to_json() for m in (loaded, model)]
    assert baskets[0] == baskets[1]
    pd.testing.assert_frame_equal(loaded.similar("i3"), model.similar("i3"))
    assert not [p for p in folder.rglob("*") if p.suffix in {".pkl", ".pickle", ".pt", ".joblib"}]


def test_a_flipped_byte_in_any_file_is_a_typed_error(folder: Path) -> None:
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole = file.read_bytes()
        if not whole:
            continue
        middle = len(whole) // 2
        file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        with pytest.raises(ArtifactError):
            gr.load(folder)
        file.write_bytes(whole)
    gr.load(folder)


def test_all_files_can_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    model = fitted(town(), QUICK.with_(blocks=["spectral", "popularity"]))
    before = os.umask(0o022)
    try:
        for mask, mode in ((0o022, 0o644), (0o077, 0o600), (0o002, 0o664)):
            os.umask(mask)
            model.save(tmp_path / "m")
            files = [p for p in (tmp_path / "m").rglob("*") if p.is_file()]
            assert {stat.S_IMODE(p.stat().st_mode) for p in files} == {mode}
    finally:
        os.umask(before)


# --- the manifest -----------------------------------------------------------------------------------------------------


def rewritten(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest, with a checksum that holds."""
    file = folder / artifact.MANIFEST
    manifest = json.loads(file.read_bytes())
    change(manifest)
    file.write_text(json.dumps(manifest), "utf-8")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / artifact.CHECKSUM).write_text(f"{digest}  {artifact.MANIFEST}\n", "utf-8")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every field of a document."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(value, dict):
            yield (*path, key)
        yield from places(part, (*path, key))


FREE = {"files", "counts", "chosen", "blocks"}  # whose keys are names


def test_a_manifest_that_lacks_a_field_is_a_typed_error(folder: Path) -> None:
    whole = json.loads((folder / artifact.MANIFEST).read_bytes())
    try:
        for path in places(whole):
            if (path[0] in FREE and len(path) == 2) or (path[0] == "chosen" and len(path) > 1):
                continue
            if path[-1] in ("like", "rest"):  # models lacked these once
                continue

            def change(manifest: dict[str, Any], path: tuple[Any, ...] = path) -> None:
                manifest.clear()
                manifest.update(deepcopy(whole))
                parent: Any = manifest
                for key in path[:-1]:
                    parent = parent[key]
                del parent[path[-1]]

            rewritten(folder, change)
            with pytest.raises(ArtifactError) as caught:
                gr.load(folder)
            assert str(path[-1]) in str(caught.value) or path[-1] == "empty", path
            assert "\n" not in str(caught.value)
    finally:
        rewritten(folder, lambda manifest: manifest.update(whole))
    gr.load(folder)


def test_an_altered_id_table_is_noticed(folder: Path, tmp_path: Path) -> None:
    def fill(new: Path) -> None:
        for file in (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("manifest")):
            (new / file.relative_to(folder)).parent.mkdir(exist_ok=True)
            (new / file.relative_to(folder)).write_bytes(file.read_bytes())
        pd.DataFrame({"user_id": ["someone else"]}).to_parquet(new / "users.parquet")

    artifact.write(tmp_path / "m", fill, json.loads((folder / artifact.MANIFEST).read_bytes()))
    with pytest.raises(CorruptArtifactError, match="user ids"):
        gr.load(tmp_path / "m")


def test_a_block_that_nobody_brings_is_named(folder: Path) -> None:
    whole = json.loads((folder / artifact.MANIFEST).read_bytes())
    try:
        rewritten(folder, lambda manifest: manifest["blocks"].update(elsewhere=manifest["blocks"]["spectral"]))
        with pytest.raises(ArtifactError, match="'elsewhere', which no installed package brings"):
            gr.load(folder)
    finally:
        rewritten(folder, lambda manifest: manifest.update(whole))


# --- of people --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("why_not", ["", "says nothing", "sensitive: read for measuring only"])
def test_who_agreed_to_be_named_is_kept(tmp_path: Path, why_not: str) -> None:
    """Whether it was learned from or not, and as it came: "no" is not yes."""
    data = town()
    columns = [c for c in data.user_columns if c.name != "shares_name"]
    data = replace(data, user_columns=(*columns, Column("shares_name", "boolean", why_not=why_not)))
    model = fitted(data, QUICK.with_(blocks=["spectral", "popularity"], explain={"agreed": "shares_name"}))
    model.save(tmp_path / "m")
    loaded = gr.load(tmp_path / "m")
    pd.testing.assert_frame_equal(loaded.recommend("new", 5), model.recommend("new", 5))
    named = set()
    for user_id in ("pal", "u2", "u0"):  # friends of u0, who agreed, and of u1, who did not
        for item_id in model.recommend(user_id, 20)["item_id"]:
            expected = model.explain(user_id, item_id)
            assert loaded.explain(user_id, item_id).to_json() == expected.to_json()
            named |= {key for key in expected.shares if key.startswith("user:")}
    assert {"user:u0", "user:friend-1"} <= named
    assert "user:u1" not in named
    shared, expected = ((d @ d.T).toarray() for d in (loaded.fitted.described[0], model.fitted.described[0]))
    np.testing.assert_array_equal(shared, expected)  # how many attributes each two people share


def test_of_people_nothing_else_is_kept_that_was_not_learned_from(tmp_path: Path) -> None:
    data = town()
    hidden = Column("shares_name", "boolean", why_not="sensitive: read for measuring only")
    columns = (*(c for c in data.user_columns if c.name != "shares_name"), hidden)
    fitted(replace(data, user_columns=columns), QUICK.with_(blocks=["popularity"])).save(tmp_path / "m")
    assert set(pd.read_parquet(tmp_path / "m" / "user_attributes.parquet")["key"]) == {"city"}


def test_a_model_of_a_single_event_is_read_back(tmp_path: Path) -> None:
    """Blocks that sit out have no weight, though nobody told which to hear, and are saved as what they are."""
    data = gr.Dataset.from_frames(pd.DataFrame({"user_id": ["u"], "item_id": ["i"], "timestamp": [1_600_000_000]}))
    blocks = ["popularity", "spectral", "transitions", "circle", "kin"]
    made = fitted(data, QUICK.with_(blocks=blocks, features={"enabled": False}))
    made.save(tmp_path / "m")
    read = gr.load(tmp_path / "m")
    silent = {b.name: b.weight for b in read.fitted.profiles.blocks if b.empty}
    assert {"transitions", "circle", "kin"} <= set(silent)
    assert not any(silent.values())
    assert not any(made.fitted.chosen["weights"][name] for name in silent)
    assert len(read.recommend("u", seen="allow")) == 1


def test_what_says_the_same_of_all_items_sits_not_out(tmp_path: Path) -> None:
    """Popularity of a single event is heard: alone it is the model, and it grows."""
    data = gr.Dataset.from_frames(pd.DataFrame({"user_id": ["u"], "item_id": ["i"], "timestamp": [1_600_000_000]}))
    fitted(data, QUICK.with_(blocks=["popularity"], features={"enabled": False})).save(tmp_path / "m")
    (block,) = gr.load(tmp_path / "m").fitted.profiles.blocks
    assert not block.empty
    assert block.weight > 0
