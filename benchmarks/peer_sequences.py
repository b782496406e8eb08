"""A peer's SASRec and BERT4Rec beside what graphrec reads of an order, on one split, in one table.

    python -m venv ENV && ENV/bin/pip install "rectools[torch]"
    python benchmarks/peer_sequences.py ../shared/data --peer ENV/bin/python --only amazon_beauty

RecTools (MTS, 2022 on) trains in its own environment (``rectools_models.py``), with each of ``TRIED`` on the training
part, and is asked about the validation events; what is best there is learned twice more: from the training part
(``train``) and with the validation events (``refitted``). Both times the histories end before the test event. Ours
(``sequences.py``) is chosen on the same validation events. Full ranking, the test part looked at once a row.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import pandas as pd
import report
import typer
from sequences import SEARCH, measured

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.evaluate import metrics
from graphrec.evaluate.significance import paired_p_value
from graphrec.types import Floats

RUNS = {"musical_instruments": 50, "amazon_beauty": 50, "ml1m_sequences": 200}  # events that are read at most
BASE: Mapping[str, Any] = {"n_factors": 64, "n_blocks": 2, "n_heads": 2, "batch_size": 128, "lr": 1e-3}
LOSSES: Mapping[str, Mapping[str, Any]] = {"softmax": {}, "gBCE": {"n_negatives": 256, "gbce_t": 0.75}}
WHERE = Path(__file__).with_name("rectools_models.py")
K = 20
OURS = {"popularity": "recent popularity", "transitions": "transitions", "sequence": "sequence"}


def table_of(*parts: Dataset) -> pd.DataFrame:
    """user, item and time of the events of some parts, in their order; times that tie are put one second apart."""
    frames = []
    for n, part in enumerate(parts):
        e = part.events
        times = np.zeros(len(e), np.int64) if e.timestamps is None else e.timestamps
        order = np.arange(len(e)) if e.order is None else e.order
        columns = {"user": e.user_nums, "item": e.item_nums, "part": n, "t": times, "o": order}
        frames.append(pd.DataFrame(columns))
    table = pd.concat(frames).sort_values(["user", "part", "t", "o"], kind="stable")
    table["time"] = table.groupby("user").cumcount().astype(np.int64)
    return table[["user", "item", "time"]]


def asked_of(peer: Path, learn: pd.DataFrame, known: pd.DataFrame, users: list[int], how: Mapping[str, Any]) -> Any:
    """Recommendations of a model of the peer's, user → items int64 (K,), best first, and its core-seconds."""
    with TemporaryDirectory() as place:
        paths = [Path(place, name) for name in ("learn.csv", "known.csv", "asked", "how", "found.csv")]
        learn.to_csv(paths[0], index=False)
        known.to_csv(paths[1], index=False)
        paths[2].write_text(json.dumps(users))
        paths[3].write_text(json.dumps(dict(how)))
        done = subprocess.run([peer, WHERE, *paths], capture_output=True, text=True, check=False)
        if done.returncode:
            raise typer.BadParameter(f"the peer failed: {done.stderr[-2000:]}")
        found = pd.read_csv(paths[4]).sort_values(["user", "rank"])
        return {u: part.to_numpy() for u, part in found.groupby("user")["item"]}, json.loads(
            done.stdout.strip().splitlines()[-1]
        )


def ndcg_of(found: Mapping[int, Any], held: pd.Series) -> dict[str, Floats]:
    """NDCG and recall at 10 and 20 of each user, float32 (N,), of one held-out item each."""
    hits = np.zeros((len(held), K), bool)
    pairs = zip(held.index.tolist(), held.tolist(), strict=True)
    for row, (user, item) in enumerate(pairs):
        items = found.get(user, np.zeros(0, np.int64))[:K]
        hits[row, : len(items)] = items == item
    one = np.ones(len(held), np.int64)
    out: dict[str, Floats] = {}
    for k in (10, 20):
        out[f"ndcg@{k}"] = metrics.ndcg(hits[:, :k], one, k)
        out[f"recall@{k}"] = np.asarray(hits[:, :k].any(axis=1), np.float32)
    return out


def peers(parts: Split, peer: Path, length: int, epochs: tuple[int, ...], losses: list[str]) -> list[dict[str, Any]]:
    """SASRec and BERT4Rec, their loss and epochs chosen on the validation events."""
    train, whole = table_of(parts.train), table_of(parts.train, parts.valid)
    held = {name: table_of(part).set_index("user")["item"] for name, part in (("v", parts.valid), ("t", parts.test))}
    rows = []
    for model in ("sasrec", "bert4rec"):
        best: tuple[float, dict[str, Any]] = (-1.0, {})
        seconds = 0.0
        for loss in losses:
            for n in epochs:
                how = {"model": model, **BASE, **LOSSES[loss], "loss": loss, "epochs": n, "session_max_len": length}
                found, took = asked_of(peer, train, train, held["v"].index.tolist(), how)
                worth, seconds = float(ndcg_of(found, held["v"])["ndcg@10"].mean()), seconds + sum(took.values())
                print(f"  {model} {loss}, {n} epochs: {worth:.4f}, {took['fit']:.0f} s", flush=True)
                best = max(best, (worth, how), key=lambda pair: pair[0])
        row: dict[str, Any] = {"model": f"RecTools {model}", "valid": best[0], "chosen": best[1]}
        for name, learn in (("train", train), ("refitted", whole)):
            found, took = asked_of(peer, learn, whole, held["t"].index.tolist(), best[1])
            per_user = ndcg_of(found, held["t"])
            row[name] = {m: float(v.mean()) for m, v in per_user.items()} | {"seconds": seconds + sum(took.values())}
            row[name]["per_user"] = per_user["ndcg@10"]
        rows.append(row)
    return rows


def ours(source: Dataset, settings: list[str]) -> list[dict[str, Any]]:
    """Blocks of ours and their blend, as ``sequences.py`` chooses and learns them; the blend of all is the last."""
    found = measured(source, Config.load(None, settings), dev=False, network=True)
    out = []
    for row in (row for row in found["rows"] if row["model"] in (*OURS, found["rows"][-1]["model"])):
        for how, of in found["per_user"].items():
            row[how] |= {"per_user": of[row["model"]], "seconds": row[how]["seconds"] + row["seconds"]}
        name = row["model"]
        out.append(
            row | {"chosen": found["chosen"].get(name, found["weights"].get(name)), "model": OURS.get(name, name)}
        )
    return out


def main(
    data: Path,
    peer: Annotated[Path, typer.Option(help="Python of the environment that RecTools is in.")],
    only: Annotated[list[str] | None, typer.Option()] = None,
    epochs: Annotated[str, typer.Option(help="Tried by validation.")] = "5,10,20,40",
    losses: Annotated[str, typer.Option(help="Tried by validation.")] = "softmax,gBCE",
    set_: Annotated[list[str] | None, typer.Option("--set", help="Further settings of ours.")] = None,
) -> None:
    for name, length in RUNS.items():
        if only and name not in only:
            continue
        settings = [*SEARCH, "split.kind=leave-last", "evaluate.relevant=all", *(set_ or [])]
        config = Config.load(None, settings)
        source = replace(Dataset.load(data / name), parts=None)
        parts = split(source, config.cut, config.seed)
        rows = peers(parts, peer, length, tuple(map(int, epochs.split(","))), losses.split(","))
        rows += ours(source, settings)
        for how in ("train", "refitted"):
            per_user = [row[how].pop("per_user") for row in rows]
            for row, of in zip(rows, per_user, strict=True):
                row[how]["p"] = None if row is rows[-1] else paired_p_value(per_user[-1], of)
        looks = report.kept("peer_sequences", name).get("looks", 0) + 1
        found = {"rows": rows, "data": source.digest(), "looks": looks, "epochs": epochs, "losses": losses}
        found |= {"settings": settings, "users": len(per_user[-1])}
        report.keep("peer_sequences", name, found)
        for row in rows:
            print(name, row, flush=True)


if __name__ == "__main__":
    typer.run(main)
