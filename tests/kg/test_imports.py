"""A graph is loaded without what only building, drawing, checking or querying one needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import kg.graph
import kg.store

HEAVY = ["spacy", "rdflib", "pyoxigraph", "torch", "transformers", "pyshacl", "matplotlib", "networkx"]
LOADS = """
import sys
import kg.graph, kg.store, kg.types
{what}
print(*sorted({{name.partition(".")[0] for name in sys.modules}} & set(sys.argv[2:])))
"""


@pytest.mark.parametrize(
    ("what", "needed"),
    [
        ("", []),
        ("kg.store.load(sys.argv[1]).stats()", []),
        ("import kg.text, kg.names, kg.polarity, kg.validate, kg.build, kg.extract.extractors", []),
        ("kg.graph.empty().to_networkx()", ["networkx"]),
    ],
)
def test_what_is_imported(tmp_path: Path, what: str, needed: list[str]) -> None:
    kg.store.save(kg.graph.empty(), tmp_path)
    command = [sys.executable, "-c", LOADS.format(what=what), str(tmp_path), *HEAVY]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == needed
