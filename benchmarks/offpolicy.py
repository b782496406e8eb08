"""How often intervals of off-policy estimates hold the truth: python benchmarks/offpolicy.py [LOGS]."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
import report

from graphrec.evaluate.offpolicy import How, Logged, estimate, overlap, rewards_of
from graphrec.evaluate.standing import standing
from graphrec.samples.explored import World

WORLDS: Mapping[str, tuple[World, int]] = {
    "alike, 500 people": (World(noise=0.1), 500),
    "alike, 2,000": (World(noise=0.1), 2000),
    "others, 2,000": (World(noise=1.5), 2000),
    "few explored, 500": (World(noise=0.5, share=0.05, n_items=100), 500),
    "ten places, 2,000": (World(noise=0.5, share=0.1, n_items=100, k=10), 2000),
}
HOWS: tuple[How, ...] = ("ips", "snips", "dr")


def main(logs: int = 500) -> None:
    """Print for each world and estimator bias, deviation, and how many intervals hold the truth, with g and without."""
    for name, (world, n_users) in WORLDS.items():
        made = [_log(world, n_users, seed) for seed in range(logs)]
        worth = np.mean([overlap(log).effective for log in made])
        print(f"{name}: truth {world.truth:.4f}, worth {worth:.0f} places, {logs} logs", flush=True)
        rows = {}
        for how in HOWS:
            values = np.array([estimate(log, how).value for log in made])
            shares = []
            for cautious in (True, False):
                found = [estimate(log, how, cautious=cautious) for log in made]
                shares.append(np.mean([e.low <= world.truth <= e.high for e in found]))
            bias = values.mean() - world.truth
            print(f"  {how:5} bias {bias:+.4f} sd {values.std():.4f} held {shares[0]:.1%}, without g {shares[1]:.1%}")
            rows[how] = {"bias": bias, "sd": values.std(), "held": shares[0], "plain": shares[1]}
        rows = {how: {what: float(v) for what, v in row.items()} for how, row in rows.items()}
        report.keep("offpolicy", name, {"truth": world.truth, "worth": float(worth), "logs": logs, "rows": rows})


def _log(world: World, n_users: int, seed: int) -> Logged:
    a = world.answers(n_users, seed)
    chances = standing(world.n_items, world.k, world.share)[np.minimum(a.ranks, world.k), a.places - 1]
    predicted, expected = rewards_of(a.items, a.places, a.clicks, a.users, [a.items, a.wanted])
    targets = (a.items == a.wanted).astype(np.float64)
    return Logged(a.answers, a.users, a.places, a.clicks, chances, targets, predicted, expected)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
