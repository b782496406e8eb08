"""A picture of what is around a node: SVG or PNG, by networkx and matplotlib."""

from __future__ import annotations

import textwrap
import warnings
from collections import Counter, defaultdict
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib as mpl
import networkx as nx
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kg.errors import KGError
from kg.graph import KnowledgeGraph
from kg.names import fold

ENDINGS = (".svg", ".png")
_COLOURS = tuple(f"C{n}" for n in range(10))  # matplotlib's own
_INK, _PALE = "#333333", "#aaaaaa"
_LONGEST, _INNER = 40, 24  # characters of a label: of an outer node, and of one with nodes beyond
Point: TypeAlias = tuple[float, float]
Places: TypeAlias = dict[int, tuple[float, float]]  # node → angle, distance from the centre


def draw(graph: KnowledgeGraph, node: str, out: str | Path, hops: int = 1, limit: int = 40) -> tuple[int, int]:
    """Draw the neighbourhood of a node, given by id or label.

    Args:
        hops: how far from the node. limit: nodes at most; those whose triples have the most sources are shown, each
            relation in turn.

    Returns how many nodes are shown, and how many there are within the hops.
    Raises KGError where the node is not in the graph, or the file cannot be written.
    """
    path = Path(out)
    if path.suffix.lower() not in ENDINGS:
        raise KGError(f"{out}: the ending names no format of pictures; give it {' or '.join(ENDINGS)}")
    centre = find(graph, node)
    tree, there = neighbourhood(graph, centre, hops, limit)
    figure = _figure(graph, tree, centre)
    try:
        save(figure, path)
    except OSError as error:
        raise KGError(f"{out}: cannot be written ({error.strerror or error}); choose another place") from None
    return len(tree), there


def save(figure: Figure, path: Path) -> None:
    """Write a figure, the same bytes each time. Raises OSError."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "graphrec"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a character that the font has no picture of
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else None
        figure.savefig(path, dpi=150, bbox_inches="tight", metadata=metadata)


def find(graph: KnowledgeGraph, node: str) -> int:
    """The number of an entity given by its id, else by its label. Raises KGError where there is none, or several."""
    for id_ in (node, f"item:{node}"):
        if id_ in graph.entity_num:
            return graph.entity_num[id_]
    key, all_ids = fold(node), graph.entities["entity"].astype(str).tolist()
    found = [n for n, label in enumerate(graph.entities["label"]) if fold(label) == key]
    ids = [all_ids[n] for n in found]
    if not found:
        items = np.flatnonzero(graph.entities["type"] == "item")
        example = all_ids[items[0]] if len(items) else "aspect:tone"
        raise KGError(f"no node {node!r} in the graph; give a label, or an id such as {example}")
    if len(found) > 1:
        raise KGError(f"{len(found)} nodes are called {node!r}: {', '.join(ids[:5])}; give one of these ids")
    return found[0]


def neighbourhood(graph: KnowledgeGraph, centre: int, hops: int, limit: int) -> tuple[nx.DiGraph[int], int]:
    """A tree from the centre outwards, and the number of nodes within the hops, shown or not.

    Edges lead away from the centre; ``relation`` is the name for people, ``forward`` whether the triple does so too.
    """
    heads, relations, tails = graph.triples.T
    tree: nx.DiGraph[int] = nx.DiGraph()
    tree.add_node(centre)
    within, frontier = {centre}, [centre]
    for hop in range(hops):
        room = limit - len(tree) if hop == hops - 1 else (limit - len(tree) + 1) // 2
        edges: dict[int, tuple[float, int, int, bool]] = {}
        for near, far, forward in ((heads, tails, True), (tails, heads, False)):
            for row in np.flatnonzero(np.isin(near, list(within)) & ~np.isin(far, list(within))).tolist():
                edge = (float(graph.counts[row]), int(near[row]), int(relations[row]), forward)
                other = int(far[row])
                if other not in edges or edge > edges[other]:
                    edges[other] = edge
        shown = {n: e for n, e in edges.items() if e[1] in tree}
        for other in _in_turn(shown)[: max(room, 0)]:
            _, parent, relation, forward = shown[other]
            name = graph.relations[relation]
            label = graph.relation_labels.get(name, name).replace("_", " ")
            tree.add_edge(parent, other, relation=label, forward=forward)
        within |= edges.keys()
        frontier = list(edges)
        if not frontier:
            break
    return tree, len(within)


def _in_turn(edges: dict[int, tuple[float, int, int, bool]]) -> list[int]:
    """The other ends, those with the most sources first, of each parent and relation in turn."""
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for other in sorted(edges, key=lambda n: (-edges[n][0], n)):
        groups[edges[other][1:]].append(other)
    ranked = sorted(((place, group), n) for group, ns in enumerate(groups.values()) for place, n in enumerate(ns))
    return [n for _, n in ranked]


def _places(tree: nx.DiGraph[int], centre: int) -> Places:
    """Node → angle and distance: every node in the middle of a sector as wide as its leaves are many."""
    leaves = {n: 1 if tree.out_degree(n) == 0 else 0 for n in tree}
    for n in reversed(list(nx.bfs_tree(tree, centre))):
        leaves[n] += sum(leaves[c] for c in tree.successors(n))
    places = {centre: (0.0, 0.0)}
    waiting = [(centre, 0.0, 2 * np.pi)]
    while waiting:
        node, begin, width = waiting.pop()
        children = sorted(tree.successors(node), key=lambda c: (tree.edges[node, c]["relation"], c))
        for child in children:
            share = width * leaves[child] / leaves[node]
            places[child] = (begin + share / 2, places[node][1] + 1)
            waiting.append((child, begin, share))
            begin += share
    return places


def _figure(graph: KnowledgeGraph, tree: nx.DiGraph[int], centre: int) -> Figure:
    places = _places(tree, centre)
    depth = max(r for _, r in places.values()) or 1
    crowd = Counter(r for _, r in places.values())[depth]
    size = max(8.0, min(26.0, 0.42 * crowd)) + 2 * depth
    figure = Figure(figsize=(1.25 * size, size))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_aspect("equal")
    at = {n: (float(r * np.cos(a)), float(r * np.sin(a))) for n, (a, r) in places.items()}
    types = graph.entities["type"].to_numpy()
    common = [str(t) for t, _ in Counter(str(types[n]) for n in sorted(tree)).most_common()]
    colour = {t: _COLOURS[min(i, len(_COLOURS) - 1)] for i, t in enumerate(common)}

    for parent, child, edge in tree.edges(data=True):
        ends = (at[parent], at[child]) if edge["forward"] else (at[child], at[parent])
        arrow = {"arrowstyle": "-|>", "color": _PALE, "shrinkA": 9, "shrinkB": 9, "lw": 1.1}
        axes.annotate("", xy=ends[1], xytext=ends[0], arrowprops=arrow, zorder=1)
        _relation_name(axes, edge["relation"], at[parent], at[child], 0.76 if places[parent][1] else 0.58)
    for node, (angle, distance) in places.items():
        x, y = at[node]
        area = 420 if node == centre else 110
        axes.scatter(x, y, s=area, color=colour[str(types[node])], zorder=3, edgecolors="white")
        _node_name(axes, graph.label(node), at[node], angle, distance, outermost=tree.out_degree(node) == 0)
    handles = [
        Line2D([], [], marker="o", linestyle="", markersize=9, color=colour[t], label=t.replace("_", " "))
        for t in common
    ]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize=11)
    span = depth * 1.12
    axes.set_xlim(-span * 1.25, span * 1.25)
    axes.set_ylim(-span, span)
    return figure


def _relation_name(axes: Any, name: str, start: Point, end: Point, share: float) -> None:
    """The name of a relation along its edge, at a share of the way."""
    (x, y), (to_x, to_y) = start, end
    turned = (np.degrees(np.arctan2(to_y - y, to_x - x)) + 90) % 180 - 90  # never upside down
    axes.text(
        x + (to_x - x) * share, y + (to_y - y) * share, name, rotation=turned, ha="center", va="center", fontsize=9,
        color=_INK, style="italic", zorder=2, parse_math=False,
        bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85},
    )  # fmt: skip


def _node_name(axes: Any, label: str, at: Point, angle: float, distance: float, outermost: bool) -> None:
    longest = _LONGEST if outermost or distance == 0 else _INNER
    text = textwrap.shorten(label, longest, placeholder="…") or label[:longest]
    text = "".join(c if c.isprintable() else " " for c in text)
    if distance == 0:
        axes.text(
            at[0], at[1] + 0.05, "\n".join(textwrap.wrap(text, 18)), ha="center", va="bottom", fontsize=13,
            weight="bold", color=_INK, zorder=4, parse_math=False,
            bbox={"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.8},
        )  # fmt: skip
        return
    degrees = np.degrees(angle) % 360
    right = degrees < 90 or degrees > 270
    x, y = at[0] + 0.035 * np.cos(angle), at[1] + 0.035 * np.sin(angle)
    axes.text(
        x, y, text, rotation=degrees if right else degrees - 180, rotation_mode="anchor",
        ha="left" if right else "right", va="center", fontsize=10.5, color=_INK, zorder=4, parse_math=False,
        bbox=None if outermost else {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.85},
    )  # fmt: skip
