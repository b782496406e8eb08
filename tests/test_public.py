"""What others may call is typed, and says what it takes, gives and raises."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import graphrec
from graphrec.blocks.api import Block
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.model.model import Model
from graphrec.profile.api import FittedBlock
from graphrec.query.query import Queries, Query
from graphrec.recommender import Recommender
from graphrec.rerank import Filter
from graphrec.rerank.api import Reranker
from graphrec.runtime import Runtime
from graphrec.testing import BlockContract

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTED: Final = 0.95  # of all public functions, methods and classes, at least
PUBLIC: tuple[type, ...] = (
    *(Recommender, Model, Dataset, Config, Query, Queries, Runtime),
    *(Block, FittedBlock, BlockContract, Filter, Reranker),
)


def functions(cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Public functions that a class has from this package, by name; __init__ and the getters of properties too."""
    for base in cls.__mro__:
        if not base.__module__.startswith("graphrec"):
            continue
        fields = vars(base).get("__annotations__", {})  # the default of one may be a function
        for name, found in vars(base).items():
            inner = getattr(found, "fget", None) or getattr(found, "func", None) or getattr(found, "__func__", found)
            own = inspect.isfunction(inner) and inner.__module__.startswith("graphrec") and name not in fields
            if own and (name == "__init__" or not name.startswith("_")):
                yield f"{base.__name__}.{name}", inner


def untyped(function: Callable[..., Any]) -> list[str]:
    """Parameters without a type, and "return" where it has none."""
    signature = inspect.signature(function)
    lacking = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.annotation is parameter.empty and name not in ("self", "cls")
    ]
    return lacking + ["return"] * (signature.return_annotation is signature.empty)


def described(tree: ast.AST, within: str = "") -> Iterator[tuple[str, bool]]:
    """Public functions, methods and classes of a module, and whether each has a docstring. An override has one too only
    where it is written."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            if not any(ast.unparse(d).endswith((".setter", "overload")) for d in node.decorator_list):
                yield f"{within}{node.name}", ast.get_docstring(node) is not None
            if isinstance(node, ast.ClassDef):
                yield from described(node, f"{within}{node.name}.")


@pytest.mark.parametrize("cls", PUBLIC, ids=lambda cls: cls.__name__)
def test_every_public_method_is_typed(cls: type) -> None:
    found = dict(functions(cls))
    assert found
    assert {name: lacking for name, function in found.items() if (lacking := untyped(function))} == {}


@pytest.mark.parametrize("cls", PUBLIC, ids=lambda cls: cls.__name__)
def test_every_public_method_of_the_main_classes_is_described(cls: type) -> None:
    assert inspect.getdoc(cls)
    names = {name.rpartition(".")[2] for name, _ in functions(cls)} - {"__init__"}  # described with its class
    assert [name for name in sorted(names) if not inspect.getdoc(getattr(cls, name))] == []


def test_every_name_of_the_package_is_typed_and_described() -> None:
    for name in graphrec.__all__:
        found = getattr(graphrec, name)
        assert inspect.getdoc(found), name
        if inspect.isfunction(found):
            assert untyped(found) == []
        else:
            assert issubclass(found, (graphrec.GraphrecError, *PUBLIC)), f"{name}: not in PUBLIC"
    assert (ROOT / "graphrec" / "py.typed").exists()
    assert (ROOT / "kg" / "py.typed").exists()


def test_what_is_public_has_docstrings(record_property: Callable[[str, object], None]) -> None:
    found = {
        f"{file.relative_to(ROOT)} {name}": said
        for package in ("graphrec", "kg")
        for file in sorted((ROOT / package).rglob("*.py"))
        for name, said in described(ast.parse(file.read_text("utf-8")))
    }
    share = sum(found.values()) / len(found)
    lacking = [name for name, said in found.items() if not said]
    told = f"{sum(found.values()):,} of {len(found):,} public functions and classes have docstrings ({share:.1%})"
    print(told)
    record_property("docstrings", told)
    assert share >= DOCUMENTED, "\n".join([told, *lacking])


def test_the_checks_find_what_they_look_for() -> None:
    class Faulty:
        def plain(self, a, b: int): ...  # type: ignore[no-untyped-def]  # what is looked for

    assert untyped(Faulty.plain) == ["a", "return"]
    text = "class A:\n    'd'\n    def f(self): ...\n    def _g(self): ...\n"
    text += "def h():\n    'd'\nclass _B:\n    def i(self): ..."
    assert dict(described(ast.parse(text))) == {"A": True, "A.f": False, "h": True}
