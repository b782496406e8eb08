"""Other libraries' own implementations beside graphrec, on the same split, tuned and measured alike, in one run.

    pip install lenskit cornac implicit --constraint constraints.txt
    python benchmarks/peers.py ../shared/data --only lastfm_social

LensKit (Ekstrand, CIKM 2020), Cornac (Salah et al., JMLR 2020) and implicit learn from the training part as it is, each
by its own code; the search, the validation users and the metric code are those of `graphrec compare`. Each is a block
without a fold-in, which is all that a comparison asks for.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
import report
import typer

from graphrec.blocks.api import Block, FitInputs, held, reading_of
from graphrec.blocks.search import Chosen
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.experiment import compare_models, peak_rss_mb
from graphrec.profile.dense import ProfileBlock
from graphrec.query.query import Queries
from graphrec.settings import Section
from graphrec.types import Floats, Ints

RUNS: dict[str, tuple[str, tuple[str, ...]]] = {  # name: folder, settings
    "lastfm_social": ("lastfm_social", ("evaluate.trials=10", "split.kind=given")),
    "musical_instruments, temporal": ("musical_instruments", ("evaluate.trials=10", "split.kind=temporal")),
}


class _Lenskit:
    """Scores of a trained LensKit component, user by user as its pipelines ask for them."""

    def __init__(self, component: Any, train: Dataset) -> None:
        from lenskit.data import ItemList, from_interactions_df
        from lenskit.training import TrainingOptions

        pairs = {"user_id": train.interactions.user_nums, "item_id": train.interactions.item_nums}
        data = from_interactions_df(pd.DataFrame(pairs))
        component.train(data, TrainingOptions(rng=42))
        self.component, self.history, self.items = component, train.matrix(), ItemList(np.arange(train.n_items))

    def scores(self, user_nums: Ints) -> Floats:
        from lenskit.data import ItemList, RecQuery

        out = np.full((len(user_nums), len(self.items)), -np.inf, np.float32)
        for row, user in enumerate(user_nums.tolist()):
            taken = ItemList(self.history[user].indices.astype(np.int64))
            found = self.component(RecQuery(user_id=user, user_items=taken), self.items).scores()
            out[row] = np.nan_to_num(found, nan=-np.inf)
        return out


class _Cornac:
    """Scores of a fitted Cornac model, whose numbers are in order of appearance."""

    def __init__(self, model: Any, train: Dataset) -> None:
        from cornac.data import Dataset as CornacDataset

        i = train.interactions
        data = CornacDataset.from_uir(
            [(u, v, 1.0) for u, v in zip(i.user_nums.tolist(), i.item_nums.tolist(), strict=True)], seed=42
        )
        model.fit(data)
        self.model, self.users, self.n_items = model, data.uid_map, train.n_items
        self.items = np.fromiter(data.iid_map.keys(), np.int64)  # in Cornac's order

    def scores(self, user_nums: Ints) -> Floats:
        out = np.full((len(user_nums), self.n_items), -np.inf, np.float32)
        for row, user in enumerate(user_nums.tolist()):
            if user in self.users:
                out[row, self.items] = self.model.score(self.users[user])
        return out


@dataclass(frozen=True)
class Peer(ProfileBlock):
    """A model of another library as a fitted block: it has scores for the users of the data, and no sides."""

    model: Any = None

    def scores(self, queries: Queries) -> Floats:
        found: Floats = self.model.scores(queries.user_nums)
        return found


class PeerBlock(Block[Section]):
    """A model of another library as a block: ``values`` are those worth trying, ``fitted`` learns from a training part
    in which every event is as good as any other."""

    values: ClassVar[Mapping[str, Sequence[float]]]

    @abstractmethod
    def fitted(self, train: Dataset, **chosen: Any) -> Any:
        """What has ``scores(user_nums)``."""

    def space(self, inputs: FitInputs) -> Mapping[str, Sequence[Any]]:
        return {**self.values, "reading": held(inputs.train.events.readings, ("liked", "alike"))}

    def learn(self, inputs: FitInputs, chosen: Chosen) -> Peer:
        params, train = {name: chosen[name] for name in self.values}, inputs.train
        model = self.fitted(train.alike() if reading_of(chosen) == "alike" else train, **params)
        users, items = (np.zeros((n, 1), np.float32) for n in (train.n_users, train.n_items))
        return Peer(self.name, users, items, model=model)


class LenskitItemKNN(PeerBlock):
    name = "lenskit itemknn"
    values: ClassVar = {"max_nbrs": (10, 20, 50, 100, 200)}

    def fitted(self, train: Dataset, **chosen: Any) -> Any:
        from lenskit.knn import ItemKNNScorer

        return _Lenskit(ItemKNNScorer(**chosen, feedback="implicit"), train)


class LenskitALS(PeerBlock):
    name = "lenskit implicit mf"
    values: ClassVar = {
        "embedding_size": (32, 64, 128, 256),
        "regularization": (0.01, 0.1, 1.0, 10.0),
        "weight": (1.0, 3.0, 10.0, 40.0),
        "epochs": (10, 20),
    }

    def fitted(self, train: Dataset, **chosen: Any) -> Any:
        from lenskit.als import ImplicitMFScorer

        return _Lenskit(ImplicitMFScorer(**chosen), train)


class Limited(Section):
    max_items: int = 20_000


class LenskitEASE(PeerBlock):
    name = "lenskit ease"
    Settings = Limited
    values: ClassVar = {"regularization": (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)}

    def fitted(self, train: Dataset, **chosen: Any) -> Any:
        from lenskit.knn import EASEScorer

        return _Lenskit(EASEScorer(**chosen), train)


class CornacBPR(PeerBlock):
    name = "cornac bpr"
    values: ClassVar = {
        "k": (32, 64, 128),
        "learning_rate": (0.01, 0.03, 0.1),
        "lambda_reg": (0.001, 0.01, 0.03),
        "max_iter": (100, 300),
    }

    def fitted(self, train: Dataset, **chosen: Any) -> Any:
        from cornac.models import BPR

        return _Cornac(BPR(**chosen, seed=42, num_threads=1, verbose=False), train)


class CornacVAE(PeerBlock):
    """Mult-VAE (Liang et al., WWW 2018)."""

    name = "cornac vaecf"
    values: ClassVar = {
        "k": (32, 64, 128),
        "beta": (0.05, 0.2, 1.0),
        "n_epochs": (50, 100),
        "learning_rate": (0.001, 0.003),
    }

    def fitted(self, train: Dataset, **chosen: Any) -> Any:
        from cornac.models import VAECF

        return _Cornac(VAECF(**chosen, likelihood="mult", autoencoder_structure=[256], seed=42), train)


PEERS = (LenskitItemKNN(), LenskitALS(), LenskitEASE(), CornacBPR(), CornacVAE())


def main(data: Path, only: Annotated[str, typer.Option(help="One of the runs.")] = "") -> None:
    """Run, store, and write the table."""
    models: list[str | Block[Any]] = ["popularity", *PEERS, "ials", "bpr", "graphrec"]
    for name, (folder, settings) in RUNS.items():
        if only in ("", name) and (data / folder).exists():
            source = Dataset.load(data / folder)
            found = compare_models(source, models, Config.load(None, settings), progress=True).to_json()
            kept = {"data": source.fingerprint(), "settings": list(settings), "peak_rss_mb": peak_rss_mb()}
            report.keep("peers", name, {**found, **kept})
    print(report.TABLE.read_text("utf-8"))


if __name__ == "__main__":
    typer.run(main)
