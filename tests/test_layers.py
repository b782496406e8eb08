"""Imports go down only, those in functions and for type checking too; nothing is unpickled; no file is long."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).resolve().parents[1]

LAYERS = {  # the rooms of graphrec; the package itself, `import graphrec`, is at the top
    6: ("cli", "demo", "doctor", "serve", "testing", "__main__", "__init__"),
    5: (
        *("recommender", "model", "fit", "forgetting", "experiment", "ablation", "prequential", "tuning"),
        *("fitted", "limits", "pooled", "party", "federation", "noised", "private", "attacks", "robust"),
        *("pilots", "planning", "advising"),
    ),
    4: ("explain", "evaluate", "rerank", "report"),
    3: ("config",),
    2: ("blocks",),
    1: ("query", "linalg", "graph", "features", "knowledge", "nn", "profile", "train", "samples", "store", "privacy"),
    0: (
        *("data", "door", "read", "types", "settings", "presets", "errors"),
        *("runtime", "ranks", "cluster", "budget", "stages", "cache_dir"),
    ),
}
LAYER = {room: layer for layer, rooms in LAYERS.items() for room in rooms}
NN_MAY_IMPORT = {"torch", "torch_geometric", "numpy", *sys.stdlib_module_names}
LINES = 300  # of a file, at most
PICKLERS = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


@cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    """What a file holds of imports, calls, attributes and keywords."""
    wanted = (ast.Import, ast.ImportFrom, ast.Call, ast.Attribute, ast.keyword)
    return tuple(node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, wanted))


def imports(file: Path, package: list[str]) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything imported: `from a import b` is a.b, relative names are made absolute."""
    for node in nodes(file):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and last_name(node.func) in ("import_module", "__import__"):
            yield from ((node.lineno, str(a.value)) for a in node.args[:1] if isinstance(a, ast.Constant))


def last_name(node: ast.expr) -> str:
    """Of a dotted name the last part; "" of what is none."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def room_of(name: str, root: Path) -> str:
    """The room that an import of graphrec.… lands in. What is no module is a name in the package's __init__."""
    first = [*name.split("."), ""][1]
    if first == "__version__":
        return "types"  # a constant
    is_module = (root / "graphrec" / f"{first}.py").exists() or (root / "graphrec" / first).is_dir()
    return first if first and is_module else "__init__"


def upward(root: Path) -> Iterator[str]:
    """Every import under root/graphrec and root/kg that its layer forbids, as file:line: what."""
    for file in sorted([*(root / "graphrec").rglob("*.py"), *(root / "kg").rglob("*.py")]):
        parts = file.relative_to(root).with_suffix("").parts
        room = parts[1]
        if parts[0] == "graphrec" and room not in LAYER:
            yield f"{file.relative_to(root)}:1: {room} has no layer; give it one in {Path(__file__).name}"
            continue
        for line, name in imports(file, list(parts[:-1])):
            top, where = name.split(".")[0], f"{file.relative_to(root)}:{line}: imports {name}"
            if parts[0] == "kg":
                if top == "graphrec":
                    yield f"{where}, but kg knows nothing of graphrec"
                other = name.split(".")[1] if top == "kg" and "." in name else room
                if len(parts) > 2 and other != room and (root / "kg" / other).is_dir():
                    yield f"{where}, but no wing of kg imports another"
            elif top == "graphrec":
                other = room_of(name, root)
                if room == "nn" and other != "nn":
                    yield f"{where}, but nn sees tensors only"
                elif other in LAYER and LAYER[other] > LAYER[room]:
                    yield f"{where}, from layer {LAYER[room]} up to layer {LAYER[other]}"
            elif room == "nn" and top not in NN_MAY_IMPORT:
                yield f"{where}, but nn sees tensors only"


def circles(root: Path) -> list[list[str]]:
    """Modules, rooms of graphrec and wings of kg that import each other in a circle. The package's __init__ is at the
    top and binds all."""
    files = [*(root / "graphrec").rglob("*.py"), *(root / "kg").rglob("*.py")]
    names = {".".join(f.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): f for f in files}
    modules: nx.DiGraph[str] = nx.DiGraph()
    rooms: nx.DiGraph[str] = nx.DiGraph()
    for name, file in names.items():
        package = list(file.relative_to(root).parts[:-1])
        for _, imported in imports(file, package):
            target = imported
            while target and target not in names:
                target = target.rpartition(".")[0]
            if target and name != target and not {"graphrec", "kg"} & {name, target}:
                modules.add_edge(name, target)
                here, there = (".".join(n.split(".")[:2]) for n in (name, target))
                if here != there:
                    rooms.add_edge(here, there)
    found = [*nx.strongly_connected_components(modules), *nx.strongly_connected_components(rooms)]
    return sorted(sorted(circle) for circle in found if len(circle) > 1)


def unpickling(root: Path) -> Iterator[str]:
    """Every place under root/graphrec and root/kg that could run code from a file it reads."""
    for file in sorted([*(root / "graphrec").rglob("*.py"), *(root / "kg").rglob("*.py")]):
        where = file.relative_to(root)
        aliases = [a for node in nodes(file) if isinstance(node, ast.Import) for a in node.names]
        torches = {"torch"} | {a.asname for a in aliases if a.name == "torch" and a.asname}
        for line, name in imports(file, []):
            top, last = name.split(".")[0], name.split(".")[-1]
            if top in PICKLERS or (top == "torch" and last == "load"):
                yield f"{where}:{line}: imports {name}"
        for node in nodes(file):
            if isinstance(node, ast.Attribute) and node.attr in ("load", "read_pickle", "to_pickle"):
                name = ast.unparse(node)
                if node.attr != "load" or name.split(".")[0] in torches:
                    yield f"{where}:{node.lineno}: {name}"
            elif isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
                yield f"{where}:{node.value.lineno}: allow_pickle"


def test_imports_go_down_only() -> None:
    assert list(upward(ROOT)) == []


def test_no_modules_or_rooms_import_each_other_in_a_circle() -> None:
    assert circles(ROOT) == []


def test_every_file_is_read_in_one_go() -> None:
    files = [file for folder in ("graphrec", "kg", "tests", "benchmarks") for file in (ROOT / folder).rglob("*.py")]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in files}
    assert len(lengths) > 300
    assert {name: length for name, length in lengths.items() if length > LINES} == {}


def test_nothing_is_unpickled() -> None:
    assert list(unpickling(ROOT)) == []


def test_everything_is_in_the_wheel() -> None:
    """setuptools leaves out folders without __init__.py, and files that package-data does not name."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    for package in ("graphrec", "kg"):
        for file in (ROOT / package).rglob("*"):
            if file.is_dir() or "__pycache__" in file.parts:
                continue
            assert (file.parent / "__init__.py").exists(), f"{file.parent} has no __init__.py"
            name = file.relative_to(ROOT / package)
            assert file.suffix == ".py" or any(name.match(p) for p in patterns[package]), f"{file}: not in package-data"


# --- the checks themselves --------------------------------------------------------------------------------------------


def plant(root: Path, files: dict[str, str]) -> None:
    for name, text in {"graphrec/__init__.py": "", "kg/__init__.py": "", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")


ROOMS = {
    "graphrec/cli/app.py": "",
    "graphrec/recommender.py": "",
    "graphrec/blocks/spectral.py": "",
    "graphrec/types.py": "",
    "kg/extract/judge.py": "",
}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("graphrec/data/x.py", "from graphrec.recommender import Recommender"),
        ("graphrec/data/x.py", "from graphrec import recommender"),
        ("graphrec/data/x.py", "import graphrec.recommender as r"),
        ("graphrec/data/x.py", "import graphrec"),
        ("graphrec/data/x.py", "from graphrec import Recommender"),
        ("graphrec/data/x.py", "from .. import cli"),
        ("graphrec/data/deep/x.py", "from ...blocks import spectral"),
        ("graphrec/errors.py", "from .blocks.spectral import Spectral"),
        ("graphrec/graph/x.py", "def f():\n    from graphrec.blocks.spectral import Spectral"),
        ("graphrec/graph/x.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import graphrec.cli"),
        ("graphrec/graph/x.py", "import importlib\nimportlib.import_module('graphrec.cli')"),
        ("graphrec/nn/x.py", "import pandas as pd"),
        ("graphrec/nn/x.py", "from graphrec.types import Floats"),
        ("graphrec/nn/x.py", "from kg.graph import KnowledgeGraph"),
        ("graphrec/unheard_of.py", ""),
        ("kg/x.py", "from graphrec.errors import DataError"),
        ("kg/x.py", "def f():\n    import graphrec"),
        ("kg/link/x.py", "from kg.extract import judge"),
        ("kg/link/x.py", "def f():\n    import kg.extract.judge"),
        ("kg/link/x.py", "from ..extract.judge import judgements"),
    ],
)
def test_an_import_that_goes_up_is_found(tmp_path: Path, file: str, text: str) -> None:
    plant(tmp_path, {**ROOMS, file: text})
    (found,) = upward(tmp_path)
    assert found.startswith(f"{file}:{max(1, len(text.splitlines()))}: ")


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"a": "from graphrec.data import b", "b": "def f():\n    import graphrec.data.a"}, ["data.a", "data.b"]),
        ({"a": "from graphrec.door.x import y", "../door/x": "import graphrec.data.b", "b": ""}, ["data", "door"]),
    ],
)
def test_a_circle_inside_a_layer_is_found(tmp_path: Path, files: dict[str, str], circle: list[str]) -> None:
    packages = {f"graphrec/{room}/__init__.py": "" for room in ("data", "door")}
    plant(tmp_path, {**packages, **{f"graphrec/data/{name}.py": text for name, text in files.items()}})
    assert circles(tmp_path) == [[f"graphrec.{name}" for name in circle]]


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"link/a": "from kg.store import s", "store": "import kg.link.b", "link/b": ""}, ["link", "store"]),
        ({"link/a": "from kg.rdf import x", "rdf/x": "import kg.link.b", "link/b": ""}, ["link", "rdf"]),
        ({"link/a": "from kg.link import b", "link/b": "from . import a"}, ["link.a", "link.b"]),
        ({"graph": "def f():\n    from kg import types", "types": "import kg.graph"}, ["graph", "types"]),
    ],
)
def test_a_circle_inside_kg_is_found(tmp_path: Path, files: dict[str, str], circle: list[str]) -> None:
    packages = {f"kg/{wing}/__init__.py": "" for wing in ("link", "rdf")}
    plant(tmp_path, {**packages, **{f"kg/{name}.py": text for name, text in files.items()}})
    assert [f"kg.{name}" for name in circle] in circles(tmp_path)


def test_imports_that_go_down_or_stay_are_allowed(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            **ROOMS,
            "graphrec/__init__.py": "from graphrec.recommender import Recommender",
            "graphrec/cli/app.py": "import graphrec\nfrom graphrec.blocks import spectral\nfrom kg import graph",
            "graphrec/blocks/spectral.py": "from . import base\nimport graphrec.nn.x\nfrom graphrec import types",
            "graphrec/blocks/base.py": "from graphrec import __version__\nimport numpy, pandas",
            "graphrec/nn/x.py": "import math, torch.nn\nfrom torch_geometric.nn import A\nfrom .y import B",
            "graphrec/nn/y.py": "from __future__ import annotations\nfrom graphrec.nn import x",
            "graphrec/read/detect.py": "",
            "graphrec/data/dataset.py": "def load():\n    import kg.types",
            "kg/graph.py": "import spacy\nfrom kg.types import Span\nfrom . import types",
            "kg/build.py": "from kg.extract.judge import judgements",
            "kg/extract/x.py": "import kg\nfrom kg.graph import a\nfrom kg.extract import judge\nfrom . import y",
        },
    )
    assert list(upward(tmp_path)) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from joblib import load",
        "import importlib\nimportlib.import_module('dill')",
        "import torch\ntorch.load('x', weights_only=True)",
        "import torch as t\nt.load('x')",
        "import torch\ntorch.jit.load('x')",
        "from torch import load",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import numpy as np\nnp.load('x', allow_pickle=bool(1))",
        "import pandas as pd\npd.read_pickle('x')",
    ],
)
@pytest.mark.parametrize("file", ["graphrec/data/x.py", "kg/x.py"])
def test_unpickling_is_found(tmp_path: Path, file: str, text: str) -> None:
    plant(tmp_path, {file: text})
    (found,) = unpickling(tmp_path)
    assert found.startswith(f"{file}:{len(text.splitlines())}: ")


def test_other_loading_is_allowed(tmp_path: Path) -> None:
    text = "import json, numpy as np, torch\njson.load(f)\nnp.load('x', allow_pickle=False)\ntorch.nn.Linear(2, 2)"
    plant(tmp_path, {"graphrec/x.py": text})
    assert list(unpickling(tmp_path)) == []
