"""kill -9 at random moments, under load and during erasures: what was acknowledged is there, once, and it opens.

    python benchmarks/durability.py                       # 50 times on SQLite and on PostgreSQL (scripts/postgres)
    python benchmarks/durability.py --times 5 --store sqlite --json

A child appends with three threads, sends batches again, records answers and erases people, and writes down what it
began and what was acknowledged. It is killed with SIGKILL; of PostgreSQL every second time the server is too, all its
processes. Then the store is opened and compared with the child's notes:

    lost       events of acknowledged batches that are not there
    twice      events that are there twice, or numbers that are not rising
    torn       batches of which a part is there
    back       events of people whose erasure was acknowledged; an erasure that was begun is whole or not done
    bytes      erased names in a file of the database in use, after the opening (PostgreSQL: but its write-ahead log)
    orphans    erased names in files that PostgreSQL left behind when it was killed while it wrote tables anew
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from graphrec.store import Store, StoredAnswer, StoredEvent

ROOT = Path(__file__).resolve().parents[1]
THREADS, LARGEST, OF_ERASED = 3, 20, 5
app = typer.Typer(add_completion=False)


def say(*words: object) -> None:
    """A line to standard output in one write: whole or not at all, whenever the process is killed."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


@app.command()
def child(url: str, turn: int, seed: int) -> None:
    """Write until killed."""
    store = Store.open(url)

    def write(thread: int) -> None:
        rng, n = random.Random(f"{seed}-{thread}"), 0
        while True:
            size = rng.randint(1, LARGEST)
            batch = [
                StoredEvent(
                    event_id=f"{turn}-{thread}-{n}-{i}", user_id=f"u{rng.randint(0, 99)}", item_id=f"i{i}", time=1e9
                )
                for i in range(size)
            ]
            say("begun", f"{turn}-{thread}-{n}", size)
            store.append(batch)
            say("acknowledged", f"{turn}-{thread}-{n}", size)
            if rng.random() < 0.3:
                store.append(batch)
            n += 1

    def erase() -> None:
        rng, n = random.Random(seed), 0
        while True:
            name = f"erased-{turn}-{n}-{rng.getrandbits(64):x}"
            store.append(
                [
                    StoredEvent(source="e", event_id=f"{name}-{i}", user_id=name, item_id="i", time=1e9)
                    for i in range(OF_ERASED)
                ]
            )
            said = {"recommendation_id": f"r{turn}-{n}", "user_id": name, "model_version": "1", "time": 1e9}
            store.record([StoredAnswer(**said, request={"user_id": name}, answer={"items": []})])
            say("erasing", name)
            store.forget(name)
            say("erased", name)
            n += 1

    threads = [threading.Thread(target=write, args=(t,)) for t in range(THREADS)]
    for thread in [*threads, threading.Thread(target=erase)]:
        thread.start()


class Cluster:
    """A PostgreSQL of its own in a folder, which can be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = self._call("start")

    def _call(self, what: str) -> str:
        found = subprocess.run([ROOT / "scripts" / "postgres", what, self.folder], stdout=subprocess.PIPE, check=True)
        return found.stdout.decode().strip()

    def kill(self) -> None:
        """SIGKILL to the server and to all that it started."""
        first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(first)], stdout=subprocess.PIPE, check=True)
        for pid in [first, *map(int, found.stdout.split())]:
            os.kill(pid, signal.SIGKILL)

    def again(self) -> None:
        """Start it after a kill."""
        self._call("again")

    def quiet(self) -> None:
        """Wait until the killed client's last statements have ended: the server goes on with them."""
        import psycopg

        others = (
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        with psycopg.connect(self.url, autocommit=True) as connection:
            while connection.execute(others).fetchone() != (0,):
                time.sleep(0.02)

    def stop(self) -> None:
        """End it and remove its folder."""
        self._call("stop")


@contextmanager
def place(kind: str, folder: Path) -> Iterator[tuple[str, Path, Cluster | None]]:
    """A URL, the folder whose files must not hold erased names, and the cluster if there is one."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'store.db'}", folder, None
        return
    folder.chmod(0o711)  # for the user postgres
    cluster = Cluster(folder / "pg")
    try:
        yield cluster.url, folder / "pg" / "data" / "base", cluster
    finally:
        cluster.stop()


def holds(files: Iterable[Path], names: set[str]) -> int:
    """How many of these names are in the bytes of any of the files."""
    parts = []
    for file in files:
        with suppress(FileNotFoundError):  # removed meanwhile
            parts.append(file.read_bytes())
    found = b"\0".join(parts)
    return sum(name.encode() in found for name in names)


def files_of(url: str, folder: Path) -> tuple[list[Path], list[Path]]:
    """Files in use, and those that are nobody's: PostgreSQL leaves what a transaction made that a crash cut off."""
    found = [file for file in folder.rglob("*") if file.is_file()]
    if url.startswith("sqlite"):
        return [file for file in found if file.name.startswith("store.db")], []
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        used = {path for (path,) in connection.execute("SELECT pg_relation_filepath(oid) FROM pg_class") if path}
    data = folder.parent
    mine = [file for file in found if str(file.relative_to(data)).split(".")[0].split("_")[0] in used]
    of_system = [file for file in found if not file.name[0].isdigit()]
    return mine, [file for file in found if file not in {*mine, *of_system}]


def events_of(store: Store) -> list[StoredEvent]:
    """Everything, as a reader gets it."""
    out: list[StoredEvent] = []
    while page := store.since(out[-1].sequence or 0 if out else 0, 10_000):
        out += page
    return out


def check(url: str, folder: Path, notes: list[list[str]], found: Counter[str]) -> None:
    """Open the store and compare it with what all children so far wrote down."""
    with Store.open(url) as store:
        found["opened"] += 1
        events = events_of(store)
        receipts = {receipt.user_hash for receipt in store.erased_since()}
        ids = Counter((e.source, e.event_id) for e in events)
        sequences = [e.sequence or 0 for e in events]
        found["twice"] += sum(n - 1 for n in ids.values()) + sum(a >= b for a, b in pairwise(sequences))
        acknowledged = {note[1] for note in notes if note[0] == "acknowledged"}
        for _, batch, size in (note for note in notes if note[0] == "begun"):
            there = sum(("api", f"{batch}-{i}") in ids for i in range(int(size)))
            found["lost"] += int(size) - there if batch in acknowledged else 0
            found["torn"] += batch not in acknowledged and 0 < there < int(size)
        erased = {note[1] for note in notes if note[0] == "erased"}
        of_user = Counter(e.user_id for e in events)
        gone = set()
        for name in (note[1] for note in notes if note[0] == "erasing"):
            left, known = of_user[name], store.hash_of(name) in receipts
            found["back"] += left if name in erased or known else left != OF_ERASED
            if name in erased or known:
                gone.add(name)
        used, orphaned = files_of(url, folder)
        found["bytes"] += holds(used, gone)
        found["orphans"] = holds(orphaned, gone)
        found["erased"] = len(gone)
        found["events"] = sum(int(note[2]) for note in notes if note[0] == "acknowledged")


def killed(kind: str, times: int, seed: int) -> dict[str, Any]:
    """Kill so many times, and what was found in all."""
    rng, notes, found = random.Random(seed), list[list[str]](), Counter[str]()
    begun = 0
    with tempfile.TemporaryDirectory() as name, place(kind, Path(name)) as (url, folder, cluster):
        for turn in range(times):
            file = Path(name) / "notes"
            with file.open("wb") as out, (Path(name) / "said").open("wb") as said:
                call = [sys.executable, __file__, "child", url, str(turn), str(seed + turn)]
                process = subprocess.Popen(call, stdout=out, stderr=said)
                while b"acknowledged" not in file.read_bytes() and process.poll() is None:
                    time.sleep(0.01)
                time.sleep(rng.uniform(0, 1))
                if process.poll() is not None:
                    raise SystemExit(f"the child ended by itself: {(Path(name) / 'said').read_text()[-2000:]}")
                if cluster is not None and turn % 2:
                    cluster.kill()
                process.kill()
                process.wait()
            if cluster is not None:
                cluster.again() if turn % 2 else cluster.quiet()
            new = [line.split() for line in file.read_text().splitlines()]
            begun += sum(n[0] == "erasing" for n in new) > sum(n[0] == "erased" for n in new)
            notes += new
            check(url, folder, notes, found)
    figures = ("opened", "lost", "twice", "torn", "back", "bytes", "orphans", "events", "erased")
    return {"store": kind, "killed": times, "during_erasure": begun, **{name: found[name] for name in figures}}


@app.command()
def main(
    times: Annotated[int, typer.Option(help="Kills of each store.")] = 50,
    store: Annotated[str, typer.Option(help="sqlite, postgresql or both.")] = "both",
    seed: int = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print, and keep nothing.")] = False,
) -> None:
    """Kill, open, compare, and keep the result."""
    rows = []
    for kind in ("sqlite", "postgresql") if store == "both" else (store,):
        rows.append(killed(kind, times, seed))
        if not as_json:
            print(rows[-1])
    if as_json:
        print(json.dumps(rows))
        return
    import report

    report.keep("durability", "kill -9", {"rows": rows})


if __name__ == "__main__":
    if len(sys.argv) == 1 or sys.argv[1] not in ("child", "main"):
        sys.argv.insert(1, "main")
    app()
