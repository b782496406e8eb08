"""Pictures of a neighbourhood: what is in them, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kg.build import build
from kg.draw import draw, find, neighbourhood
from kg.errors import KGError
from kg.graph import KnowledgeGraph, empty
from kg.types import Item
from tests.kg.planted import EXTERNAL, ITEMS, REVIEWS, WordExtractor


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return build(ITEMS, REVIEWS, EXTERNAL, extractor=WordExtractor())


def words(path: Path) -> set[str]:
    return {"".join(e.itertext()).strip() for e in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")}


def test_an_svg_names_the_nodes_the_relations_and_the_types(graph: KnowledgeGraph, tmp_path: Path) -> None:
    shown, there = draw(graph, "item:s1", tmp_path / "p.svg")
    assert shown == there
    found = words(tmp_path / "p.svg")
    assert {"Super Bullets", "Fender", "Strings", "tone"} <= found
    assert {"made by", "has aspect"} <= found
    assert {"item", "brand", "category", "aspect"} <= found


def test_a_png_and_the_same_bytes_again(graph: KnowledgeGraph, tmp_path: Path) -> None:
    draw(graph, "Hendrix", tmp_path / "p.png", hops=2)
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    for name in ("a.svg", "b.svg"):
        draw(graph, "Hendrix", tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_hops_and_limit(graph: KnowledgeGraph) -> None:
    centre = find(graph, "g1")
    near, n_near = neighbourhood(graph, centre, 1, 100)
    heads, _, tails = graph.triples.T
    assert set(near) - {centre} == set(tails[heads == centre]) | set(heads[tails == centre])
    assert n_near == len(near)
    far, n_far = neighbourhood(graph, centre, 2, 100)
    assert set(near) < set(far)
    assert n_far == len(far)
    assert all(graph.has(*_triple(graph, a, b, e)) for a, b, e in far.edges(data=True))
    few, n_few = neighbourhood(graph, centre, 2, 5)
    assert len(few) == 5
    assert n_few == n_far


def _triple(graph: KnowledgeGraph, near: int, far: int, edge: dict[str, object]) -> tuple[str, str, str]:
    ids = graph.entities["entity"]
    names = {graph.relation_labels.get(r, r).replace("_", " "): r for r in graph.relations}
    head, tail = (near, far) if edge["forward"] else (far, near)
    return ids[head], names[str(edge["relation"])], ids[tail]


def test_nodes_by_id_and_label(graph: KnowledgeGraph) -> None:
    assert find(graph, "item:s1") == find(graph, "s1") == find(graph, "super-bullets")
    with pytest.raises(KGError, match="no node 'zither' in the graph; give a label, or an id such as item:g1"):
        find(graph, "zither")
    with pytest.raises(KGError, match="no node"):
        find(empty(), "x")
    twins = replace(graph, entities=graph.entities.assign(label="same"))
    with pytest.raises(KGError, match=r"nodes are called 'same': .*; give one of these ids"):
        find(twins, "same")


@pytest.mark.parametrize("label", ["$x_1$ \\frac{", "\x00\u202e\n", "名前 🎸", "<b>&amp;", "x" * 500, " "])
def test_any_label(label: str, tmp_path: Path) -> None:
    graph = build([Item("a", label, (("brand", "B"),))], [])
    draw(graph, "item:a", tmp_path / "p.svg")
    ElementTree.parse(tmp_path / "p.svg")


def test_what_cannot_be_written(graph: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(KGError, match=r"no format of pictures; give it \.svg or \.png"):
        draw(graph, "s1", tmp_path / "p.gif")
    with pytest.raises(KGError, match="cannot be written"):
        draw(graph, "s1", tmp_path / "no" / "p.svg")
