"""docs/data.md says what is: its examples are valid, and every setting is on it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from graphrec.read import spec
from graphrec.read.columns import ROLES

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "data.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MODELS = [m for m in vars(spec).values() if isinstance(m, type) and issubclass(m, BaseModel) and m.model_fields]


def literals(of: Any) -> Iterator[str]:
    """The strings that a type allows by name."""
    if get_origin(of) is Literal:
        yield from (value for value in get_args(of) if isinstance(value, str))
    else:
        for inner in get_args(of):
            yield from literals(inner)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0])
def test_an_example_is_valid(example: str) -> None:
    assert spec.Spec.model_validate(tomllib.loads(example)).to_toml()


def test_every_setting_is_on_the_page() -> None:
    shown = set(re.findall(r"^(\w+) = ", "\n".join(EXAMPLES), re.MULTILINE))
    shown |= set(re.findall(r"^\[+(\w+)\]+", "\n".join(EXAMPLES), re.MULTILINE))
    told = set(re.findall(r"`(\w+)`", PAGE))
    settings = {name for model in MODELS for name in model.model_fields}
    assert len(settings) > 30
    assert settings - shown - told == set()
    assert set(ROLES) - told == set()


def test_every_value_of_a_setting_is_on_the_page() -> None:
    for model in MODELS:
        for name, field in model.model_fields.items():
            for value in literals(field.annotation):
                assert re.search(rf"\b{value}\b" if value.isidentifier() else re.escape(f'"{value}"'), PAGE), (
                    name,
                    value,
                )


def test_python_examples_compile() -> None:
    for example in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        compile(example, "docs/data.md", "exec")
