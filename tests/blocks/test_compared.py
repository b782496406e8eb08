"""The contract of the blocks that are compared as models of their own."""

from __future__ import annotations

from typing import Any, ClassVar

from graphrec.blocks.bpr import BPR
from graphrec.blocks.ease import Ease
from graphrec.blocks.itemknn import ItemKNN
from graphrec.blocks.lightgcn import LightGCN
from graphrec.blocks.rp3beta import RP3Beta
from graphrec.blocks.userknn import UserKNN
from graphrec.testing import BlockContract


class TestItemKNN(BlockContract):
    block = ItemKNN


class TestUserKNN(BlockContract):
    block = UserKNN
    telling: ClassVar = {"n": (1, 20)}


class TestRP3Beta(BlockContract):
    block = RP3Beta
    readings = ("alike", "liked", "graded", "weighted")


class TestBPR(BlockContract):
    block = BPR
    readings = ("alike", "liked")
    settings: ClassVar[dict[str, Any]] = {
        "factors": [8],
        "iterations": [20, 60],
        "learning_rate": [0.05],
        "regularisation": [0.01],
    }


class TestLightGCN(BlockContract):
    block = LightGCN
    readings = ("alike", "liked")
    settings: ClassVar[dict[str, Any]] = {
        "dim": 8,
        "batch_size": 128,
        "epochs": [1, 20],
        "learning_rate": [0.01],
        "layers": [1, 2],
        "regularisation": [1e-4],
    }


class TestEaseWhole(BlockContract):
    block = Ease
    settings: ClassVar[dict[str, Any]] = {"n": [0], "friends": [0.0, 1.0]}
