"""Settings of the blocks, a section each, and what sections and lists of settings are made of.

Where a setting is a list, the best of its values on validation data is taken.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, PositiveInt


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


class Section(BaseModel):
    """Settings that belong together: unknown names and what is no number are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SpectralConfig(Section):
    """Low-rank graph filter. Several values: the best on validation data is taken."""

    rank: IntList = (32, 64, 128, 256, 512, 1000)
    alpha: FloatList = (0.5, 0.4, 0.3)  # exponent α of the users' degrees in the filter
    beta: FloatList = (0.2, 0.3, 0.4, 0.45, 0.5)  # exponent β of the items' degrees when it is read
    power: FloatList = (0.0, 0.4, 0.8, 1.2)  # response S^q to the singular values
    friends: FloatList = (0.0, 0.1, 0.3, 1.0)  # weight φ of the friends' mean in x_u; of the sparse blocks too
    knowledge: FloatList = (0.0, 0.3, 1.0, 2.0)  # weight κ of entities as further rows of R; of the sparse blocks too
    iterations: int = Field(default=6, ge=1)  # of the SVD; the flat tail of a spectrum needs them
    memory_gb: float = Field(default=1.5, gt=0)  # bounds the rank


class NeighboursConfig(Section):
    """Sparse graph filter of two steps. Several values: the best on validation data is taken."""

    alpha: FloatList = (0.0, 0.25, 0.5)  # exponent α of the users' degrees in the filter
    beta: FloatList = (0.0, 0.2, 0.4, 0.45, 0.5)  # exponent β of the items' degrees when it is read
    n: IntList = (200,)  # neighbours kept per item


class EaseConfig(Section):
    """Item-item regression. Several values: the best on validation data is taken."""

    regularisation: FloatList = (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
    n: IntList = (500,)  # weights kept per item
    max_items: int = Field(default=8000, ge=0)  # above, the block is left out: its matrices are dense


class SlimConfig(Section):
    """Sparse item-item regression. Several values: the best on validation data is taken."""

    l1: PositiveList = (1e-4, 3e-4, 1e-3)
    l2: PositiveList = (1e-3, 1e-2, 1e-1)
    n: IntList = (500,)  # weights kept per item
    max_items: int = Field(default=5000, ge=0)  # above, the block is left out: a regression for each item


class ChebyshevConfig(Section):
    """Graph filter over the whole spectrum. Several values: the best on validation data is taken."""

    alpha: FloatList = (0.3, 0.5)  # exponent α of the users' degrees in the filter
    flatness: PositiveList = (1.0, 1.5, 2.0, 3.0)  # φ of the response; 1 is linear
    beta: FloatList = (0.0, 0.2, 0.3, 0.4, 0.5)  # exponent β of the items' degrees when it is read
    order: int = Field(default=8, ge=1)  # degree of the polynomial
    n: IntList = (500,)  # links kept per item
    max_items: int = Field(default=8000, ge=0)  # above, the block is left out: its matrices are dense


class IALSConfig(Section):
    """Implicit alternating least squares. Several values: the best on validation data is taken."""

    alpha: PositiveList = (1.0, 3.0, 10.0, 40.0)  # weight of a taken pair; of an untaken one it is 1
    regularisation: FloatList = (1.0, 10.0, 100.0)
    knowledge: FloatList = (0.0, 0.3, 1.0, 2.0)  # weight κ of entities as further rows of R
    factors: IntList = (64, 256, 512)
    iterations: int = Field(default=8, ge=1)


class AutoencoderConfig(Section):
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


class GraphConfig(Section):
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


class SemanticConfig(Section):
    """Ridge map from the text of a history to the text of the next item."""

    ridge: FloatList = (0.1, 1.0, 10.0, 100.0)
    dim: int = Field(default=256, ge=1)


class PopularityConfig(Section):
    """Half-lives in days; 0 means no decay."""

    half_life: FloatList = (0.0, 90.0, 365.0, 1095.0)
