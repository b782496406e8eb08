"""Settings: one frozen pydantic model, read from TOML and overridden by ``section.key=value``.

Everything that a validation set can choose is chosen there unless it is set here. The sections of the blocks are in
``config_blocks``.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from graphrec.config_blocks import (
    AnyNames,
    AutoencoderConfig,
    ChebyshevConfig,
    EaseConfig,
    GraphConfig,
    IALSConfig,
    IntList,
    Names,
    NeighboursConfig,
    PopularityConfig,
    Section,
    SemanticConfig,
    SlimConfig,
    SpectralConfig,
)
from graphrec.errors import ConfigError


class SplitConfig(Section):
    """How held-out data is cut. ``auto``: given where the source brings a split, temporal where it has times."""

    kind: Literal["auto", "given", "temporal", "leave-last", "random"] = "auto"
    valid: float = Field(default=0.1, gt=0, lt=1)
    test: float = Field(default=0.1, gt=0, lt=1)
    k_core: int = Field(default=0, ge=0)
    repeats: bool = False  # hold out single events, so that re-orders are test answers; set where ``seen`` allows them


class StrengthConfig(Section):
    """Ratings, counts and kinds of events as strengths; without, every event is as good as any other."""

    use: bool = True


class KGConfig(Section):
    """Knowledge graph from reviews, metadata and external triples."""

    enabled: bool = True
    extractor: Literal["spacy", "gliner", "transformers"] = "spacy"
    model: str = ""  # a folder or a name; empty is the installed English pipeline of spaCy
    overrides: str = ""  # a CSV of form, entity[, type]: what forms mean, whatever linking makes of them
    min_mentions: int = Field(default=2, ge=1)  # an aspect named fewer times in the training reviews is dropped
    processes: int = Field(default=2, ge=1)
    sensitive: AnyNames = ()  # sensitive attributes of users that may be learned from all the same, by name


class FeaturesConfig(Section):
    """Frozen text encoder. ``auto`` is MiniLM: the official model where installed, else the packaged weights."""

    enabled: bool = True
    encoder: str = "auto"
    max_tokens: int = Field(default=64, ge=8)  # of one review or description
    batch_tokens: int = Field(default=4096, ge=128)
    user_text: bool = False  # users' own written profiles, where a source has them


class BlendConfig(Section):
    """Block weights on validation users."""

    users: int = Field(default=3000, ge=1)
    k: int = Field(default=20, ge=1)
    candidates: int = Field(default=300, ge=1)  # per block, where the catalogue is larger


class RetrieveConfig(Section):
    """FAISS index: exact up to ``exact_below`` items, HNSW above."""

    exact_below: int = Field(default=200_000, ge=0)
    hnsw_links: int = Field(default=32, ge=4)
    ef_search: int = Field(default=256, ge=16)


class ExplainConfig(Section):
    """How explanations are worded."""

    rewriter: str = ""  # folder of a causal language model that rewrites the sentences; none: the templates stand


class EvaluateConfig(Section):
    """How models are measured, and how long each baseline of a comparison is tuned."""

    k: IntList = (10, 20)
    relevant: Literal["liked", "all"] = (
        "liked"  # held-out items that count: those that are liked, or all that were taken
    )
    batch_size: int = Field(default=1024, ge=1)
    trials: int = Field(default=20, ge=1)  # Optuna trials of each baseline


class Config(Section):
    """All settings. Unknown names are refused with the nearest thing that exists."""

    seed: int = 42
    blocks: Names = ("popularity", "spectral", "neighbours", "ease", "ials", "graph", "semantic")
    seen: Literal["exclude", "allow", "only"] = "exclude"  # what a user already took: left out, ranked too, or alone
    split: SplitConfig = SplitConfig()
    strength: StrengthConfig = StrengthConfig()
    kg: KGConfig = KGConfig()
    features: FeaturesConfig = FeaturesConfig()
    popularity: PopularityConfig = PopularityConfig()
    spectral: SpectralConfig = SpectralConfig()
    neighbours: NeighboursConfig = NeighboursConfig()
    ease: EaseConfig = EaseConfig()
    slim: SlimConfig = SlimConfig()
    chebyshev: ChebyshevConfig = ChebyshevConfig()
    ials: IALSConfig = IALSConfig()
    autoencoder: AutoencoderConfig = AutoencoderConfig()
    graph: GraphConfig = GraphConfig()
    semantic: SemanticConfig = SemanticConfig()
    blend: BlendConfig = BlendConfig()
    retrieve: RetrieveConfig = RetrieveConfig()
    explain: ExplainConfig = ExplainConfig()
    evaluate: EvaluateConfig = EvaluateConfig()

    @classmethod
    def parse(cls, values: dict[str, Any], where: str = "configuration") -> Config:
        """Validate nested values. Raises ConfigError naming every wrong setting."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {_fault(e)}" for e in error.errors())
            raise ConfigError(f"{where}: {faults}; settings are described in graphrec/config.py") from None

    @classmethod
    def load(cls, path: str | Path | None = None, overrides: Sequence[str] = ()) -> Config:
        """Defaults, then a TOML file, then ``section.key=value`` overrides."""
        values: dict[str, Any] = {}
        if path is not None:
            try:
                values = tomllib.loads(Path(path).read_text("utf-8"))
            except OSError as error:
                raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise ConfigError(f"{path}: not valid TOML ({error})") from None
        for override in overrides:
            key, sep, text = override.partition("=")
            if not sep or not key.strip():
                raise ConfigError(f"--set {override}: expected section.key=value, for example blocks=spectral")
            *sections, leaf = key.strip().split(".")
            target = values
            for section in sections:
                target = target.setdefault(section, {})
                if not isinstance(target, dict):
                    raise ConfigError(f"--set {override}: {section} is a value, not a section")
            target[leaf] = text.strip()
        return cls.parse(values, str(path or "settings"))

    def with_(self, **changes: Any) -> Config:
        """A copy with sections or fields replaced; a section may be given as a dict of its changed fields."""
        values = self.model_dump()
        for name, change in changes.items():
            values[name] = {**values[name], **change} if isinstance(change, dict) else change
        return Config.parse(values)

    @property
    def cut(self) -> SplitConfig:
        """How held-out data is cut for the task that is set: single events where re-orders count."""
        return self.split if self.seen == "exclude" else self.split.model_copy(update={"repeats": True})

    def fingerprint(self) -> str:
        """SHA-256 of all settings."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()

    def to_toml(self) -> str:
        """This configuration as TOML; ``load`` reads it back equal."""
        values = self.model_dump(mode="json")
        lines = [f"{k} = {_toml(v)}" for k, v in values.items() if not isinstance(v, dict)]
        for name, section in values.items():
            if isinstance(section, dict):
                lines += ["", f"[{name}]", *(f"{k} = {_toml(v)}" for k, v in section.items())]
        return "\n".join(lines) + "\n"


def _fault(error: Mapping[str, Any]) -> str:
    """What is wrong with one setting, from pydantic's description of it."""
    if error["type"] != "extra_forbidden":
        return f"{error['msg']} (found {error['input']!r})"
    *path, name = map(str, error["loc"])
    known = Config().model_dump()[path[0]] if path else Config.model_fields
    near = get_close_matches(name, known, n=1)
    return "there is no such setting" + (f", perhaps {'.'.join([*path, *near])} is meant" if near else "")


def _toml(value: Any) -> str:
    """A value in TOML, which writes bools, numbers, strings and lists as JSON does."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
