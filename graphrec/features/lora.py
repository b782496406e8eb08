"""Tuning the frozen text encoder a little, so that texts of what one person takes lie together: LoRA.

Beside each linear map W of the encoder a map of low rank is learned, W + (α / r) B A (Hu et al., LoRA, ICLR 2022); W
stays as it is. What is learned from are pairs of texts of two items that one person took, each by somebody else than
this person, or their descriptions, under the loss of contrast within a batch (InfoNCE: van den Oord et al., 2018)

    -log exp(⟨a_n, b_n⟩ / τ) / Σ_m exp(⟨a_n, b_m⟩ / τ)

both ways, where items that the person of pair n took too are no contrast. In its own words an author is known by more
than by taste, so a person's own texts are in no pair of theirs.

It needs the extra ``lora``.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from safetensors.numpy import save_file

from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError, EmptyDataError
from graphrec.features.adapter import CONFIG, READ, TUNING, installed, known, quiet
from graphrec.features.text import item_descriptions, review_text

LEAST = 2  # items with a text that somebody has to have taken


class Tunable(Protocol):
    """An encoder of sentence-transformers, without an adapter: its id, and its model loaded anew."""

    base_id: str

    def fresh(self) -> Any:
        """The model, which is altered."""
        ...


@dataclass(frozen=True)
class Tuning:
    """How an adapter is learned.

    Args:
        rank, alpha, dropout: of the added maps. steps, batch, learning_rate: of AdamW, the rate falling to 0.
        temperature: τ of the loss. max_tokens: of a text while learning. seed: of all that is drawn.
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.05
    steps: int = 200
    batch: int = 32
    learning_rate: float = 5e-4
    temperature: float = 0.05
    max_tokens: int = 32
    seed: int = 42


@dataclass(frozen=True)
class Tuned:
    """An adapter in its folder, the loss at each step, and the seconds that it took."""

    folder: Path
    losses: tuple[float, ...] = field(repr=False)
    seconds: float


def tune(train: Dataset, encoder: Tunable, folder: str | Path, tuning: Tuning = Tuning()) -> Tuned:
    """Learn an adapter for an encoder from the texts of a training part, and write it to a new folder.

    # No leakage. Pass a training part; what it holds is written beside the adapter, and held against what is held out.

    Raises MissingModelError without the extra ``lora``, ConfigError where the folder is not new, EmptyDataError where
    nobody took two items of which there is a text.
    """
    installed()
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is not empty; name a new folder for the adapter")
    pairs = _Pairs(train, tuning.seed)
    import peft
    import torch

    start, model = time.perf_counter(), encoder.fresh()
    model.max_seq_length = min(tuning.max_tokens, model.max_seq_length or tuning.max_tokens)
    with torch.random.fork_rng():
        torch.manual_seed(tuning.seed)
        kind = peft.LoraConfig(
            r=tuning.rank, lora_alpha=tuning.alpha, lora_dropout=tuning.dropout, target_modules="all-linear"
        )
        with quiet():
            adapted = peft.get_peft_model(model[0].auto_model, kind)  # in place
        losses = _learned(model, pairs, tuning)
    folder.mkdir(parents=True, exist_ok=True)
    adapted.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # a page to be filled in, which tells where the encoder lies here
    settings = json.loads((folder / CONFIG).read_text("utf-8")) | {"base_model_name_or_path": None}  # as this does
    (folder / CONFIG).write_text(json.dumps(settings, indent=1, sort_keys=True) + "\n", "utf-8")
    save_file({"events": known(train)}, folder / READ)
    seconds = time.perf_counter() - start
    told = {"encoder": encoder.base_id, "tuning": asdict(tuning), "losses": losses, "seconds": round(seconds, 1)}
    (folder / TUNING).write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    return Tuned(folder, tuple(losses), seconds)


def _learned(model: Any, pairs: _Pairs, tuning: Tuning) -> list[float]:
    """The loss at each step of learning what of the model is free."""
    import torch
    import torch.nn.functional as F

    free = [weights for weights in model.parameters() if weights.requires_grad]
    optimiser = torch.optim.AdamW(free, lr=tuning.learning_rate)
    falling = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / tuning.steps)
    device, losses = next(iter(model.parameters())).device, []
    model.train()
    for _ in range(tuning.steps):
        texts, apart = pairs.drawn(tuning.batch)
        tokens = {k: v.to(device) if hasattr(v, "to") else v for k, v in model.preprocess(texts).items()}
        sides = F.normalize(model(tokens)["sentence_embedding"], dim=1)  # (2 B, F)
        scores = sides[: len(apart)] @ sides[len(apart) :].T / tuning.temperature  # (B, B)
        scores = scores.masked_fill(torch.from_numpy(apart).to(device), -torch.inf)
        right = torch.arange(len(apart), device=device)
        loss = (F.cross_entropy(scores, right) + F.cross_entropy(scores.T, right)) / 2
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(free, 1.0)
        optimiser.step()
        falling.step()
        losses.append(round(float(loss.detach()), 4))
    model.eval()
    return losses


class _Pairs:
    """Texts of two items that one person took."""

    def __init__(self, train: Dataset, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        described = item_descriptions(train)
        own = [n for n, text in enumerate(described) if text.strip()]
        written = [review_text(s, t) for s, t in zip(train.reviews["summary"], train.reviews["text"], strict=True)]
        some = [n for n, text in enumerate(written) if text.strip()]
        items, users = (train.reviews[c].to_numpy(np.int64)[some] for c in ("item_num", "user_num"))
        self.texts = [*(described[n] for n in own), *(written[n] for n in some)]
        of = np.concatenate([np.array(own, np.int64), items])  # the item of each text
        order = np.argsort(of, kind="stable")
        self.place = order  # texts by item
        self.author = np.concatenate([np.full(len(own), -1), users])
        self.ends = np.searchsorted(of[order], np.arange(train.n_items + 1))  # (I + 1,)
        self.taken = sp.csr_matrix(train.matrix() @ sp.diags((np.diff(self.ends) > 0).astype(np.float32)))
        self.taken.eliminate_zeros()  # items with a text stay
        self.users = np.flatnonzero(np.diff(self.taken.indptr) >= LEAST)
        if not len(self.users):
            raise EmptyDataError(
                f"{train.name}: nobody took {LEAST} items of which there is a text, so there are no pairs to tune the "
                "encoder on; bring reviews or descriptions, or leave it as it is"
            )

    def drawn(self, n: int) -> tuple[list[str], np.ndarray[Any, np.dtype[np.bool_]]]:
        """n texts, and after them the n that go with each; and which are no contrast, bool (n, n)."""
        found: list[tuple[int, int, int, str, str]] = []
        for _ in range(50 * n):  # people whose items nobody else wrote of are passed over
            user = int(self.rng.choice(self.users))
            items = self.taken.indices[slice(*self.taken.indptr[user : user + 2])]
            one, other = (int(item) for item in self.rng.choice(items, 2, replace=False))
            texts = self._text(one, user), self._text(other, user)
            if texts[0] and texts[1]:
                found.append((user, one, other, *texts))
            if len(found) == n:
                break
        if not found:
            raise EmptyDataError(
                "of no two items that one person took somebody else wrote; there are no pairs to tune on"
            )
        users, ones, others = (np.array(column) for column in list(zip(*found, strict=True))[:3])
        apart = self.taken[users][:, others].toarray() > 0  # (B, B): what pair n's person took as well
        apart |= others[None, :] == ones[:, None]
        np.fill_diagonal(apart, False)
        return [f[3] for f in found] + [f[4] for f in found], apart

    def _text(self, item: int, reader: int) -> str:
        of = self.place[slice(*self.ends[item : item + 2])]
        of = of[self.author[of] != reader]
        return self.texts[int(self.rng.choice(of))] if len(of) else ""
