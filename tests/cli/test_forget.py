"""`graphrec forget`: not a byte of them is left, in the artifact or in what is cached, and a kill leaves old or new."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

import graphrec as gr
from graphrec.data.dataset import build
from graphrec.data.kinds import Kind
from graphrec.features.cache import ContentCache, content_key
from graphrec.knowledge import cached
from graphrec.model import artifact
from graphrec.settings import KGConfig
from graphrec.store import Store
from graphrec.store.records import Impression
from graphrec.types import model_of
from kg.extract.reading import keys
from tests.cli.support import document, run
from tests.cli.test_serve import wait_for
from tests.kg.planted import WordExtractor

HER, HIS = "anna-karenina", "leo-nikolayevich"
SAID = "The wistful quendrel of this one has a lovely tone, and the strings are bright."
CHOSEN = {
    "popularity": {"half_life": 0.0, "reading": "liked"},
    "neighbours": {"reading": "liked", "n": 5, "alpha": 0.5, "beta": 0.4, "friends": 0.3, "knowledge": 0.3},
    "transitions": {"reading": "liked", "window": 31, "decay": 1.0, "pause": 0.0, "backward": 0.3, "source": 0.5,
                    "target": 0.2, "shape": 0.5, "power": 0.5, "half_life": 0.0, "last": 100, "n": 5000},
    "weights": {"popularity": 1.0, "neighbours": 1.0, "transitions": 1.0},
}  # fmt: skip
CONFIG = gr.Config().with_(blocks="popularity,neighbours,transitions", features={"enabled": False})


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cached_there(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHREC_CACHE", str(cache))


@pytest.fixture(scope="module")
def fitted(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of twelve people who write of strings; she writes what nobody else does, and is his friend."""
    people = [HER, HIS, *(f"u{n}" for n in range(10))]
    rows = [
        (who, f"i{(n % 2) + 2 * ((n * 3 + turn) % 6)}", 5.0 - turn % 3, 1_600_000_000 + 86_400 * (turn * 20 + n),
         SAID if who == HER else "The strings of this one are bright, and the tone is warm.")
        for n, who in enumerate(people)
        for turn in range(4)
    ]  # fmt: skip
    data = build(
        "letters",
        pd.DataFrame(rows, columns=["user_id", "item_id", "value", "timestamp", "text"]),
        kinds=[Kind("review", values="rating", scale=(1, 5))],
        friends=pd.DataFrame({"user_id": [HER, "u1"], "friend_id": [HIS, "u3"]}),
        user_attributes=pd.DataFrame({"user_id": people, "key": "city", "value": ["c0", "c1"] * 6}),
    )
    data.report.warn(f"{HER} was read twice")
    out = tmp_path_factory.mktemp("models") / "m"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAPHREC_CACHE", str(cache))
        gr.Recommender(CONFIG).fit(data, CHOSEN).save(out)
    return out


@pytest.fixture
def model(fitted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(fitted, tmp_path / "m"))


def everything(folder: Path) -> str:
    """All that any file below a folder says: its bytes, and what compressed tables hold."""
    said = []
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        said.append(f"{file.relative_to(folder)} {file.read_bytes().decode('latin-1')}")
        if file.suffix == ".parquet":
            said.append(pd.read_parquet(file).to_csv())
    return "\n".join(said)


def test_not_a_byte_of_them_is_left(model: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    traces = (HER, HIS, "quendrel")
    for trace in traces:
        assert trace in everything(model.parent), "or the test finds nothing"
    assert "quendrel" in everything(cache)
    receipt = document(capsys, "forget", str(model), "--user", HER, "--user", HIS, "--user", "nobody")
    for trace in traces:
        assert trace not in everything(model.parent), trace
        assert trace not in json.dumps(receipt)
    assert "quendrel" not in everything(cache)
    assert (receipt["users"], receipt["unknown"], receipt["exact"]) == (2, 1, True)
    assert receipt["removed"]["reviews"] == 8
    assert receipt["removed"]["friendships"] == 1
    assert receipt["caches"]["mentions"] == 1
    left = gr.load(model)
    assert left.fitted.version == receipt["model_version"]
    assert left.fitted.data.n_users == 10
    assert left.recommend(HER, 3).attrs["degraded"], "a stranger now"
    assert "strings" in json.dumps(left.explain("u1", "i2").to_json())
    run("forget", str(model), "--user", HER, expect=2)
    assert "nothing to forget" in capsys.readouterr().err


def test_another_folder_leaves_the_first_and_says_so(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "who.txt"
    file.write_text(f"{HER}\n{HIS}\n", "utf-8")
    run("forget", str(model), "--users", str(file), "--out", str(tmp_path / "new"), "--way", "quick")
    said = capsys.readouterr().err
    assert "forgotten: 2 users" in said
    assert "still knows them" in said
    assert HER in everything(model)
    assert HER not in everything(tmp_path / "new")


def test_a_model_written_anew_is_the_same_side_of_a_trial(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url, opened = f"sqlite:///{tmp_path / 'store'}", list[str]()
    earlier, open_ = gr.load(model).fitted.version, Store.open
    with Store.open(url) as store:
        store.forget("u9")
        store.forget(HER)
        store.set_learned(earlier, 1)
    monkeypatch.setattr(Store, "open", lambda url, **more: opened.append(url) or open_(url, **more))  # type: ignore[func-returns-value]
    receipt = document(capsys, "forget", str(model), "--store", url)
    assert (receipt["users"], len(opened)) == (1, 1)
    later = receipt["model_version"]
    again = gr.load(model).forget(["u8"])
    assert len({earlier, later, again.model_version}) == 3
    assert {model_of(version) for version in (f"{later}.0123456789ab", again.model_version)} == {earlier}
    sides = {"u1": earlier, "u2": later, "u3": f"{later}.0123456789ab", "u4": "0000-2", "u5": "0000-2~1", "u6": "zz-1"}
    with Store.open(url) as store:
        assert store.learned(later) == 1
        told = {"item_id": "i1", "position": 1, "time": 1.7e9}
        shown = [Impression(recommendation_id=u, user_id=u, model_version=v, **told) for u, v in sides.items()]
        store.record([], shown)
    found = document(capsys, "experiment", "report", "--store", url)
    assert [(found[side]["name"], found[side]["answers"]) for side in "ab"] == [(earlier, 3), ("0000-2", 2)]
    assert found["others"] == {"zz-1": 1}
    found = document(capsys, "experiment", "report", "--store", url, "--share", "0.6")
    assert [found[side]["name"] for side in "ab"] == ["0000-2", earlier]
    named = document(capsys, "experiment", "report", "--store", url, "--a", later, "--b", "0000-2~3")
    assert (named["a"]["answers"], named["b"]["answers"]) == (3, 2)


@pytest.mark.parametrize(
    ("call", "says"),
    [((), "whom? Give --user ID"), (("--user", "x"), "unknown user id"), (("--user", HER, "--way", "soon"), "no way")],
)
def test_mistakes_are_told_in_one_line(
    model: Path, call: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(model)
    run("forget", str(model), *call, expect=2)
    assert says in capsys.readouterr().err
    assert everything(model) == before


def test_what_others_wrote_too_stays_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHREC_CACHE", str(tmp_path))
    reader = WordExtractor()
    texts = {"only hers": "so good. only hers", "shared": "so good. shared"}
    ContentCache("embeddings").put_many({content_key("e", whole): b"vector" for whole in texts.values()})
    ContentCache("mentions").put_many({key: text.encode() for text, key in keys(reader.id, texts).items()})
    hers = pd.DataFrame({"summary": "so good", "text": list(texts)})
    removed, left = cached.forget(hers, ["shared"], "e", KGConfig(), reader)
    assert removed == {"embeddings": 1, "mentions": 1}
    assert str(tmp_path) in left
    assert ContentCache("mentions").get_many([*keys(reader.id, texts).values()]).keys() == {
        keys(reader.id, ["shared"])["shared"]
    }
    assert "only hers" not in everything(tmp_path)


CHILD = """
import sys
from graphrec.model import files
from graphrec.recommender import Recommender
model = Recommender.load(sys.argv[1])
model.forget([sys.argv[2]], "quick")
print("forgotten", flush=True)
while True:
    model.save(sys.argv[1])
"""


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
def test_a_kill_leaves_the_old_or_the_new_and_the_next_call_the_new_alone(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD, str(model), HER], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "forgotten\n"
        time.sleep(0.07)
        child.send_signal(signal.SIGKILL)
    assert len(gr.load(model).recommend("u1", 3)) == 3
    run("forget", str(model), "--user", HER, "--user", HIS)
    capsys.readouterr()
    assert HER not in everything(model.parent), "nor beside it"
    assert [file.name for file in model.parent.iterdir() if file.name.endswith(("new", "old"))] == []


def test_what_a_dead_writer_left_is_removed(model: Path) -> None:
    old, new = (model.parent / f".m.graphrec-{what}" for what in ("old", "new"))
    shutil.copytree(model, old)
    new.mkdir()
    (new / "half").write_bytes(np.arange(3).tobytes())
    artifact.cleared(model)
    assert not old.exists()
    assert not new.exists()
    model.rename(old)
    artifact.cleared(model)
    assert model.exists(), "where it is the only one it is put back"


def test_erased_over_http_not_a_byte_is_left_in_store_artifact_caches_and_logs(
    model: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service writes the model anew, and reloads itself; the store, the log and what is temporary are beside it."""
    url = f"sqlite:///{tmp_path / 'events.sqlite'}"
    (tmp_path / "serve.toml").write_text("[erasure]\nrewrite = true\nafter = 0.0\n")
    (tmp_path / "tmp").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "graphrec", "serve", str(model), "--port", str(port)]
    command += ["--store", url, "--config", str(tmp_path / "serve.toml")]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path / "tmp")}
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(command, stdout=log, stderr=log, env=env)
    traces = (HER, "quendrel")
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_for(lambda: client.get("/ready").status_code == 200, process, 300)
            before = client.get("/recommend", params={"user_id": HER}).json()
            why = client.get("/explain", params={"user_id": HER, "item_id": before["items"][0]["item_id"]})
            assert why.status_code == 200
            assert client.get("/recommend", params={"user_id": "u2", "friends": HER}).status_code == 200
            his = client.get("/recommend", params={"user_id": HIS}).json()["degraded"]
            event = {"event_id": f"of {HER}", "user_id": HER, "item_id": "i2", "type": "like"}
            assert client.post("/events", json={"events": [event]}).status_code == 202
            wait_for(lambda: HER in everything(tmp_path), process, 300)
            for trace in traces:
                assert trace in everything(model), "or the test finds nothing"
            receipt = client.delete(f"/users/{HER}").json()
            assert receipt["removed"]["events"] == 1
            assert receipt["removed"]["answers"] >= 1
            assert "soon" in receipt["pending"][0]
            wait_for(lambda: client.get("/ready").json()["model_version"] != before["model_version"], process, 300)
            ready = client.get("/ready").json()
            assert (ready["erasures_pending"], ready["erasures_failed"]) == (0, None)
            stranger = client.get("/recommend", params={"user_id": HER}).json()
            assert stranger["degraded"][0].startswith("unknown_user")
            assert client.delete(f"/users/{HER}").json()["pending"] == []
            assert client.get("/recommend", params={"user_id": HIS}).json()["degraded"] == his
            assert "graphrec_erasures_pending 0" in client.get("/metrics").text
            for trace in traces:  # the log and the store are open still
                assert trace not in everything(tmp_path) + everything(cache), trace
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        process.kill()
        log.close()
    for trace in traces:
        assert trace not in everything(tmp_path) + everything(cache), trace
    assert document(capsys, "forget", str(model), "--store", url)["users"] == 0, "nothing is to do"
    (tmp_path / "none").mkdir()
    run("forget", str(model), "--store", f"sqlite:///{tmp_path / 'none' / 'store'}", expect=2)
    assert "there is no store" in capsys.readouterr().err
