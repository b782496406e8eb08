"""Settings: what TOML and --set may say, and what is said about what they may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graphrec.blocks.registry import registered
from graphrec.config import Config
from graphrec.errors import ConfigError
from graphrec.presets import PRESETS
from tests.conftest import examples

positive = st.floats(min_value=1e-300, max_value=1e300)
counts = st.integers(1, 10**20)
share = st.floats(0.001, 0.999)


def lists(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=4)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    sections: dict[str, dict[str, st.SearchStrategy[Any]]] = {
        "split": {
            "kind": st.sampled_from(["auto", "given", "leave-last"]),
            "valid": share,
            "k_core": st.integers(0, 9),
        },
        "kg": {"enabled": st.booleans(), "min_mentions": counts},
        "features": {"encoder": st.text(), "user_text": st.booleans()},
        "popularity": {"half_life": lists(st.floats(allow_nan=False, allow_infinity=False))},
        "spectral": {"rank": lists(counts), "power": lists(positive), "memory_gb": positive},
        "graph": {"temperature": lists(positive), "learning_rate": positive, "weight_decay": positive | st.just(0.0)},
        "evaluate": {"k": lists(counts), "batch_size": counts},
    }
    values: dict[str, Any] = {
        name: draw(st.fixed_dictionaries({}, optional=fields)) for name, fields in sections.items()
    }
    return Config.parse({**values, "seed": draw(st.integers()), "blocks": draw(lists(st.text()))})


@examples(40)
@given(config=configs())
def test_toml_round_trip(tmp_path_factory: pytest.TempPathFactory, config: Config) -> None:
    path = tmp_path_factory.getbasetemp() / "config.toml"
    path.write_text(config.to_toml(), "utf-8", newline="\n")
    assert Config.load(path) == config


def test_defaults_without_a_file() -> None:
    assert Config.load() == Config() == Config.parse({})


def test_a_setting_in_the_file_and_an_override_of_it(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('seed = 1\n[graph]\ndim = 16\nlayers = 2\n[features]\nencoder = "mine"\n', "utf-8")
    config = Config.load(path, ["graph.dim=32", "seed = 7", "features.encoder=a=b"])
    assert (config.graph.dim, config.graph.layers, config.graph.heads) == (32, 2, Config().graph.heads)
    assert (config.seed, config.features.encoder) == (7, "a=b")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("blocks=spectral", ("spectral",)),
        ("blocks=spectral, popularity", ("spectral", "popularity")),
        ("spectral.rank=32", (32,)),
        ("spectral.rank=32,64", (32, 64)),
        ("spectral.beta=.5", (0.5,)),
        ("kg.enabled=false", False),
        ("graph.learning_rate=1e-3", 1e-3),
        ("split.kind=leave-last", "leave-last"),
    ],
)
def test_overrides(override: str, expected: object) -> None:
    value: Any = Config.load(overrides=[override])
    for part in override.partition("=")[0].split("."):
        value = getattr(value, part)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("spectral.rnk=3", r"spectral\.rnk: there is no such setting, perhaps spectral\.rank is meant"),
        ("spectrl.rank=3", r"spectrl: there is no such setting, perhaps spectral is meant"),
        ("zzz=3", r"zzz: there is no such setting; settings are described in"),
        ("graph.dim=many", r"graph\.dim: .*integer.*\(found 'many'\)"),
        ("graph.heads=0", r"graph\.heads: .*greater than or equal to 1.*\(found '0'\)"),
        ("graph.temperature=nan", r"graph\.temperature\.0: .*finite"),
        ("split.test=1.5", r"split\.test: .*less than 1"),
        ("split.kind=best", r"split\.kind: .*'leave-last'.*\(found 'best'\)"),
        ("spectral.rank=32,0", r"spectral\.rank\.1: .*greater than 0"),
        ("spectral.rank=", r"spectral\.rank: .*at least 1"),
        ("blocks=", r"blocks: .*at least 1"),
        ("graph=4", r"graph: .*\(found '4'\)"),
        ("seed.x=4", r"seed: .*integer"),
        ("graph.dim", r"--set graph\.dim: expected section\.key=value"),
        ("=4", r"--set =4: expected section\.key=value"),
    ],
)
def test_an_impossible_override_is_named(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Config.load(overrides=[override])
    assert "\n" not in str(caught.value)


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(ConfigError, match=r"(?=.*graph\.dim)(?=.*runtime\.processes)(?=.*nothing)"):
        Config.load(overrides=["graph.dim=-1", "runtime.processes=x", "nothing=1"])


def test_a_value_is_not_a_section() -> None:
    with pytest.raises(ConfigError, match=r"--set seed\.deep\.er=4: seed is a value, not a section"):
        Config.load(overrides=["seed=3", "seed.deep.er=4"])


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    bad, latin, unknown = tmp_path / "bad.toml", tmp_path / "latin.toml", tmp_path / "unknown.toml"
    bad.write_text("seed = = 3", "utf-8")
    latin.write_bytes(b'blocks = "\xe9"')
    unknown.write_text("[graph]\nlayer = 3\n", "utf-8")
    for path, message in (
        (tmp_path / "absent.toml", "absent.toml: cannot be read"),
        (tmp_path, "cannot be read"),
        (bad, r"bad.toml: not valid TOML .*line 1"),
        (latin, "latin.toml: not valid TOML"),
        (unknown, r"unknown.toml: graph.layer: there is no such setting, perhaps graph.layers is meant"),
    ):
        with pytest.raises(ConfigError, match=message):
            Config.load(path)


def test_with_changes_only_what_is_named() -> None:
    changed = Config().with_(seed=1, graph={"dim": 8}, blocks="spectral")
    assert (changed.seed, changed.graph.dim, changed.blocks) == (1, 8, ("spectral",))
    assert changed.with_(seed=42, graph={"dim": Config().graph.dim}, blocks=Config().blocks) == Config()
    with pytest.raises(ConfigError, match=r"graph\.dims"):
        Config().with_(graph={"dims": 8})


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config().graph.dim = 3


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_settings_that_others_win_over(preset: str, tmp_path: Path) -> None:
    config = Config.load(preset=preset)
    assert all(block in registered() for block in config.blocks)
    assert Config.load(overrides=["blocks=ease"], preset=preset).blocks == ("ease",)
    file = tmp_path / "own.toml"
    file.write_text("[spectral]\nalpha = [0.5]\n", "utf-8")
    own = Config.load(file, preset=preset)
    assert own.spectral.alpha == (0.5,)
    assert own.spectral.rank == config.spectral.rank, "the rest of the section stays that of the preset"


def test_presets_differ_and_an_unknown_one_is_refused() -> None:
    assert Config.load(preset="default") == Config()
    assert "graph" not in Config.load(preset="fast").blocks
    with pytest.raises(ConfigError, match=r"--preset slow: .*fast, default, best"):
        Config.load(preset="slow")
