"""What a graphics card makes of the network: seconds of an epoch and the fraction of the card's bandwidth.

    python benchmarks/card.py --events 100_000_000 --users 2_000_000 --items 500_000

Users and items of generated interactions, popular items as frequent as a Zipf law makes them. Measured side by side: a
copy of a large tensor, both directions of the sparse propagation, and whole steps of training, of which an epoch has
as many as the settings say. The fraction counts what a product cannot do without, each operand read and written once
(the entries of the matrix, the rows in and out), and, beside it, a row read for each entry, as if nothing were cached.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Annotated, Any

import numpy as np
import report
import torch
import typer
from torch.nn.functional import normalize

from graphrec.blocks._growth import sizes
from graphrec.blocks._network_run import half
from graphrec.blocks.graph import GraphSettings
from graphrec.nn.hetero_gnn import GraphTensors, HeteroGNN
from graphrec.nn.light_gcn import bipartite, light_gcn
from graphrec.nn.losses import Negatives, softmax


def interactions(n_events: int, n_users: int, n_items: int, seed: int, device: torch.device) -> torch.Tensor:
    """edge_index int64 (2, E), sorted by users: items by a Zipf law, users log-normally active."""
    rng = np.random.default_rng(seed)
    active = rng.lognormal(0.0, 1.0, n_users)
    counts = torch.from_numpy(rng.multinomial(n_events, active / active.sum())).to(device)  # (U,)
    users = torch.repeat_interleave(torch.arange(n_users, device=device), counts)
    popular = (10 + torch.arange(n_items, device=device, dtype=torch.float64)) ** -0.8
    drawn = torch.rand(n_events, device=device, generator=torch.Generator(device).manual_seed(seed))
    items = torch.searchsorted((popular / popular.sum()).cumsum(0), drawn.double())
    return torch.stack([users, items.clamp(max=n_items - 1)])


def seconds(work: Callable[[], Any], device: torch.device, times: int) -> float:
    """Of one call, the median of several after one that warms up."""
    found = []
    for _ in range(times + 1):
        _wait(device)
        start = time.perf_counter()
        work()
        _wait(device)
        found.append(time.perf_counter() - start)
    return float(np.median(found[1:]))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def measure(edges: torch.Tensor, n_users: int, n_items: int, settings: Any, device: torch.device) -> dict[str, Any]:
    """Seconds and bytes a second of a copy, of the propagation, and of steps of training."""
    n_edges = edges.shape[1]
    size = sizes(n_users, n_items, n_edges, settings)
    nothing = torch.empty(2, 0, dtype=torch.int64)
    adjacency = bipartite(edges, n_users, n_items)  # on the device: sorting so many edges takes a CPU minutes
    text = torch.empty(n_users + n_items, 0)
    graph = GraphTensors(n_users, n_items, 0, 0, adjacency, text, nothing, nothing[0], torch.empty(0, 2)).to(device)
    found: dict[str, Any] = {"users": n_users, "items": n_items, "events": n_edges, "dim": size.dim}
    large = torch.empty(2**28, device=device)  # float32, 1 GiB
    found["copy"] = 2 * 4 * 2**28 / seconds(large.clone, device, 5)
    del large
    sent = torch.randn(n_users + n_items, size.dim, device=device)
    found["propagation"] = seconds(partial(light_gcn, adjacency, sent, 1), device, 5)
    entries = sum(
        part.numel() * part.element_size()
        for side in adjacency[:2]
        for part in (side.crow_indices(), side.col_indices(), side.values())
    )
    rows = 4 * size.dim
    found["least_bytes"] = entries + 3 * rows * (n_users + n_items)  # what is added to, sent and written
    found["row_each"] = entries + 2 * rows * n_edges + 2 * rows * (n_users + n_items)
    del sent
    found |= trained(graph, edges, size, settings, device)
    if device.type == "cuda":
        found["peak_gb"] = torch.cuda.max_memory_allocated() / 2**30
    return found


def trained(graph: GraphTensors, edges: torch.Tensor, size: Any, settings: Any, device: torch.device) -> dict[str, Any]:
    """Seconds of a step, median of some, and how many of them an epoch has."""
    s = settings
    starts = torch.searchsorted(edges[0].contiguous(), torch.arange(graph.n_users + 1, device=device))  # (U + 1,)
    model = HeteroGNN(graph, size.dim, lambda a, x, noise: light_gcn(a, x, s.layers, noise), s.heads).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay, fused=True)
    losses: list[float] = []

    def step() -> None:
        batch = torch.randperm(graph.n_users, device=device)[: size.users]  # (B,)
        lengths = starts[batch + 1] - starts[batch]
        whose = torch.repeat_interleave(torch.arange(len(batch), device=device), lengths)
        first = lengths.cumsum(0) - lengths
        places = torch.arange(len(whose), device=device) - first[whose] + starts[batch][whose]
        users, items = (normalize(side, dim=1) for side in model(graph))
        drawn = torch.randint(edges.shape[1], (size.negatives or graph.n_items,), device=device)
        negatives = Negatives(items[edges[1, drawn]], None, half(s.precision, device))
        loss = softmax(users[batch], items, torch.stack([whose, edges[1, places]]), negatives, s.temperature[0])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))

    steps = -(-graph.n_users // size.users)
    one = seconds(step, device, 10)
    return {"step": one, "steps": steps, "epoch": one * steps, "loss": [losses[0], losses[-1]]}


def main(
    events: int = 10_000_000,
    users: int = 500_000,
    items: int = 100_000,
    dim: Annotated[int, typer.Option(help="0: as the data asks for.")] = 64,
    device: str = "auto",
    seed: int = 16,
) -> None:
    """Measure, store, and print."""
    where = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    settings = GraphSettings(dim=dim)
    found = measure(interactions(events, users, items, seed, where), users, items, settings, where)
    found["card"] = torch.cuda.get_device_name() if where.type == "cuda" else "none, two threads of a CPU"
    print(SimpleNamespace(**found), flush=True)
    report.keep("card", f"{events:,} events", found)


if __name__ == "__main__":
    typer.run(main)
