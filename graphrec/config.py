"""Settings: one frozen pydantic model, read from TOML and overridden by ``section.key=value``.

Everything that a validation set can choose is chosen there unless it is set here.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from graphrec.errors import ConfigError


def _listed(value: Any) -> Any:
    """A comma list or a single value → a list, so that ``--set blocks=spectral`` means what it says."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value if isinstance(value, (list, tuple)) else [value]


AnyNames = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
IntList = Annotated[tuple[PositiveInt, ...], BeforeValidator(_listed), Field(min_length=1)]
PositiveList = Annotated[tuple[PositiveFloat, ...], BeforeValidator(_listed), Field(min_length=1)]
ShareList = Annotated[tuple[Annotated[float, Field(ge=0, lt=1)], ...], BeforeValidator(_listed), Field(min_length=1)]
FloatList = Annotated[tuple[float, ...], BeforeValidator(_listed), Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SplitConfig(_Section):
    """How held-out data is cut. ``auto``: given where the source brings a split, temporal where it has times."""

    kind: Literal["auto", "given", "temporal", "leave-last", "random"] = "auto"
    valid: float = Field(default=0.1, gt=0, lt=1)
    test: float = Field(default=0.1, gt=0, lt=1)
    k_core: int = Field(default=0, ge=0)
    repeats: bool = False  # hold out single events, so that re-orders are test answers; set where ``seen`` allows them


class StrengthConfig(_Section):
    """Ratings, counts and kinds of events as strengths; without, every event is as good as any other."""

    use: bool = True


class KGConfig(_Section):
    """Knowledge graph from reviews, metadata and external triples."""

    enabled: bool = True
    extractor: Literal["spacy", "gliner", "transformers"] = "spacy"
    model: str = ""  # a folder or a name; empty is the installed English pipeline of spaCy
    overrides: str = ""  # a CSV of form, entity[, type]: what forms mean, whatever linking makes of them
    min_mentions: int = Field(default=2, ge=1)  # an aspect named fewer times in the training reviews is dropped
    processes: int = Field(default=2, ge=1)
    sensitive: AnyNames = ()  # sensitive attributes of users that may be learned from all the same, by name


class FeaturesConfig(_Section):
    """Frozen text encoder. ``auto`` is MiniLM: the official model where installed, else the packaged weights."""

    enabled: bool = True
    encoder: str = "auto"
    max_tokens: int = Field(default=64, ge=8)  # of one review or description
    batch_tokens: int = Field(default=4096, ge=128)
    user_text: bool = False  # users' own written profiles, where a source has them


class SpectralConfig(_Section):
    """Low-rank graph filter. Several values: the best on validation data is taken."""

    rank: IntList = (32, 64, 128, 256, 512, 1000)
    alpha: FloatList = (0.5, 0.4, 0.3)  # exponent α of the users' degrees in the filter
    beta: FloatList = (0.2, 0.3, 0.4, 0.45, 0.5)  # exponent β of the items' degrees when it is read
    power: FloatList = (0.0, 0.4, 0.8, 1.2)  # response S^q to the singular values
    friends: FloatList = (0.0, 0.1, 0.3, 1.0)  # weight φ of the friends' mean in x_u; of the sparse blocks too
    knowledge: FloatList = (0.0, 0.3, 1.0, 2.0)  # weight κ of entities as further rows of R; of the sparse blocks too
    iterations: int = Field(default=6, ge=1)  # of the SVD; the flat tail of a spectrum needs them
    memory_gb: float = Field(default=1.5, gt=0)  # bounds the rank


class NeighboursConfig(_Section):
    """Sparse graph filter of two steps. Several values: the best on validation data is taken."""

    alpha: FloatList = (0.0, 0.25, 0.5)  # exponent α of the users' degrees in the filter
    beta: FloatList = (0.0, 0.2, 0.4, 0.45, 0.5)  # exponent β of the items' degrees when it is read
    n: IntList = (200,)  # neighbours kept per item


class EaseConfig(_Section):
    """Item-item regression. Several values: the best on validation data is taken."""

    regularisation: FloatList = (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
    n: IntList = (500,)  # weights kept per item
    max_items: int = Field(default=8000, ge=0)  # above, the block is left out: its matrices are dense


class SlimConfig(_Section):
    """Sparse item-item regression. Several values: the best on validation data is taken."""

    l1: PositiveList = (1e-4, 3e-4, 1e-3)
    l2: PositiveList = (1e-3, 1e-2, 1e-1)
    n: IntList = (500,)  # weights kept per item
    max_items: int = Field(default=5000, ge=0)  # above, the block is left out: a regression for each item


class ChebyshevConfig(_Section):
    """Graph filter over the whole spectrum. Several values: the best on validation data is taken."""

    alpha: FloatList = (0.3, 0.5)  # exponent α of the users' degrees in the filter
    flatness: PositiveList = (1.0, 1.5, 2.0, 3.0)  # φ of the response; 1 is linear
    beta: FloatList = (0.0, 0.2, 0.3, 0.4, 0.5)  # exponent β of the items' degrees when it is read
    order: int = Field(default=8, ge=1)  # degree of the polynomial
    n: IntList = (500,)  # links kept per item
    max_items: int = Field(default=8000, ge=0)  # above, the block is left out: its matrices are dense


class IALSConfig(_Section):
    """Implicit alternating least squares. Several values: the best on validation data is taken."""

    alpha: PositiveList = (1.0, 3.0, 10.0, 40.0)  # weight of a taken pair; of an untaken one it is 1
    regularisation: FloatList = (1.0, 10.0, 100.0)
    knowledge: FloatList = (0.0, 0.3, 1.0, 2.0)  # weight κ of entities as further rows of R
    factors: IntList = (64, 256, 512)
    iterations: int = Field(default=8, ge=1)


class AutoencoderConfig(_Section):
    """Linear denoising autoencoder. Several values: the best on validation data is taken."""

    dim: int = Field(default=256, ge=1)
    hidden: ShareList = (0.5, 0.8)  # part of a history that the rest of it has to name
    knowledge: FloatList = (0.0, 2.0)  # weight κ of entities as further histories
    learning_rate: float = Field(default=3e-3, gt=0)  # rises for a tenth of the steps, then falls
    batch_size: int = Field(default=256, ge=1)
    max_epochs: int = Field(default=60, ge=1)
    evaluations: int = Field(default=12, ge=1)  # at most this many evaluations in a run
    patience: int = Field(default=4, ge=1)  # evaluations without a better validation NDCG
    max_items: int = Field(default=20_000, ge=0)  # above, the block is left out: its softmax is dense


class GraphConfig(_Section):
    """Heterogeneous GNN, trained with a loss of the softmax family."""

    dim: int = Field(default=64, ge=1)
    members: int = Field(default=1, ge=1)  # networks from other seeds, side by side in one profile
    layers: int = Field(default=2, ge=0)
    propagation: Literal["lightgcn", "lightgcn++"] = "lightgcn"
    alpha: float = 0.6  # exponents of the degrees in LightGCN++, of the node that gathers …
    beta: float = -0.1  # … and of the one that sends
    gamma: float = Field(default=0.2, ge=0, le=1)  # weight of the node itself in LightGCN++
    init: Literal["auto", "random", "spectral"] = "auto"  # auto: spectral where there is nothing but interactions;
    # it is sooner there, but does not hear the other edges
    relations: bool = True  # GATv2 over knowledge-graph and social edges
    heads: int = Field(default=2, ge=1)
    sampled_edges: int = Field(default=20_000, ge=1)  # of those, in one training step
    loss: Literal["softmax", "bsl", "ccl"] = "softmax"
    temperature: PositiveList = (0.1, 0.2)  # of the loss; several values: the best on validation data is taken
    negatives: int = Field(default=512, ge=1)
    drawn: Literal["popularity", "uniform"] = "popularity"  # negatives: as often as items are taken, or all alike
    popularity: FloatList = (0.0, 0.5, 1.0, 1.5, 2.0)  # weight of the items' log popularity beside the cosine
    contrast: float = Field(default=0.0, ge=0)  # weight of the agreement of two noisy views (XSimGCL)
    noise: float = Field(default=0.1, ge=0)  # of these views
    batch_size: int = Field(default=4096, ge=1)
    learning_rate: float = Field(default=3e-2, gt=0)  # falls to zero as half a cosine
    weight_decay: float = Field(default=1e-6, ge=0)
    max_epochs: int = Field(default=100, ge=1)
    max_steps: int = Field(default=800, ge=1)
    patience: int = Field(default=8, ge=1)  # evaluations without a better validation NDCG
    evaluations: int = Field(default=50, ge=1)  # at most this many evaluations in a run


class SemanticConfig(_Section):
    """Ridge map from the text of a history to the text of the next item."""

    ridge: FloatList = (0.1, 1.0, 10.0, 100.0)
    dim: int = Field(default=256, ge=1)


class PopularityConfig(_Section):
    """Half-lives in days; 0 means no decay."""

    half_life: FloatList = (0.0, 90.0, 365.0, 1095.0)


class BlendConfig(_Section):
    """Block weights on validation users."""

    users: int = Field(default=3000, ge=1)
    k: int = Field(default=20, ge=1)
    candidates: int = Field(default=300, ge=1)  # per block, where the catalogue is larger


class RetrieveConfig(_Section):
    """FAISS index: exact up to ``exact_below`` items, HNSW above."""

    exact_below: int = Field(default=200_000, ge=0)
    hnsw_links: int = Field(default=32, ge=4)
    ef_search: int = Field(default=256, ge=16)


class ExplainConfig(_Section):
    """How explanations are worded."""

    rewriter: str = ""  # folder of a causal language model that rewrites the sentences; none: the templates stand


class EvaluateConfig(_Section):
    """How models are measured, and how long each baseline of a comparison is tuned."""

    k: IntList = (10, 20)
    relevant: Literal["liked", "all"] = (
        "liked"  # held-out items that count: those that are liked, or all that were taken
    )
    batch_size: int = Field(default=1024, ge=1)
    trials: int = Field(default=20, ge=1)  # Optuna trials of each baseline


class Config(_Section):
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
