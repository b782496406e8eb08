"""Labels of people told from their profiles: by a probe, by prototypes of a few, by likeness to words; and how surely.

What is told is the label that a person has more than people have it, argmax p / π, so that a rare one is told too; how
sure it is, is its calibrated probability p, and below a bound nothing is told.

==============  ======================================================================================================
probe           multinomial logistic regression; its strength chosen, and calibrated by one temperature (Guo et al.,
                ICML 2017), on other folds of the labelled people than it learned from
prototypes      cosine to the mean of a few labelled people of each label (Snell et al., NeurIPS 2017)
zero-shot       cosine of what somebody took to a sentence about each label, in the space of the text encoder
==============  ======================================================================================================

The last two are calibrated by a logistic regression on their few similarities.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError, DataError
from graphrec.profile.clearing import one_hot
from graphrec.types import Floats, Ints

Doubles = npt.NDArray[np.float64]
FOLDS = 5
FEWEST = 2 * FOLDS  # people with a label, below which it can be neither learned nor judged
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # C of the logistic regression
BINS = 10
SURMISED = 1.0  # C of the regression by which a label is surmised; three at once cost more and told as much


@dataclass(frozen=True)
class Labelled:
    """People with a label: users int64 (n,), their numbers; labels int64 (n,), places in ``classes``."""

    users: Ints
    labels: Ints
    classes: tuple[str, ...]

    @classmethod
    def of(cls, data: Dataset, key: str, allow: Collection[str] = ()) -> Labelled:
        """The people of whom one value of an attribute is known; rare values (below ``FEWEST``) are left out.

        Raises DataError where nobody has it or all have the same, ConfigError for a sensitive one that is not named in
        ``allow``.
        """
        table = data.user_attributes
        keys = sorted(table["key"].unique())
        if key not in keys:
            raise DataError(f"{key!r} is no attribute of people; there are {', '.join(keys) or 'none'}")
        # Nothing sensitive is inferred unless somebody says so by name.
        if key not in allow and any(c.sensitive for c in data.user_columns if c.name == key):
            raise ConfigError(f"{key!r} is sensitive and is not inferred; name it in allow if it may be")
        rows = table[(table["key"] == key).to_numpy()].drop_duplicates("user_num", keep=False)
        values = rows["value"].astype(str)
        classes, labels = np.unique(values.to_numpy(str), return_inverse=True)
        return cls(rows["user_num"].to_numpy(np.int64), labels.astype(np.int64), tuple(map(str, classes))).enough(key)

    def enough(self, key: str) -> Labelled:
        """The same without labels of fewer than ``FEWEST`` people. Raises DataError where fewer than two are left."""
        kept = np.flatnonzero(np.bincount(self.labels, minlength=len(self.classes)) >= FEWEST)
        mine = np.isin(self.labels, kept)
        classes = tuple(self.classes[n] for n in kept.tolist())
        if len(classes) < 2:
            found = f"all {int(mine.sum()):,} are {classes[0]!r}" if classes else "none is"
            raise DataError(f"{key!r} needs two values of {FEWEST} people each, and {found}; choose another attribute")
        return Labelled(self.users[mine], np.searchsorted(kept, self.labels[mine]).astype(np.int64), classes)


@dataclass(frozen=True)
class Told:
    """What is told of n people: labels int64 (n,), and how surely, float64 (n,)."""

    labels: Ints
    sure: Doubles

    @classmethod
    def of(cls, probabilities: Doubles, usual: Doubles) -> Told:
        """From calibrated probabilities (n, K) and how usual each label is (K,)."""
        labels = np.argmax(probabilities / np.maximum(usual, 1e-9), axis=1).astype(np.int64)
        return cls(labels, probabilities[np.arange(len(labels)), labels])

    def error(self, truth: Ints, bins: int = BINS) -> float:
        """Expected calibration error: Σ_b n_b / n |share that is right − mean sureness|, over equally wide bins."""
        right = (self.labels == truth).astype(np.float64)
        of = np.minimum((self.sure * bins).astype(np.int64), bins - 1)
        gaps = np.abs(np.bincount(of, right - self.sure, minlength=bins))
        return float(gaps.sum() / max(len(of), 1))

    def balanced(self, truth: Ints) -> float:
        """Mean over the labels of the share of their people that is told right."""
        from sklearn.metrics import recall_score

        return float(recall_score(truth, self.labels, average="macro", zero_division=0.0))

    def abstaining(self, truth: Ints, shares: Sequence[float]) -> list[tuple[float, float]]:
        """Where only the surest share of the people is told anything: the least sureness, and the share told right."""
        order, out = np.argsort(-self.sure, kind="stable"), []
        for share in shares:
            among = order[: max(1, round(share * len(order)))]
            out.append((float(self.sure[among[-1]]), float((self.labels[among] == truth[among]).mean())))
        return out


class Probe:
    """Logistic regression on rows of people, float (n, d) or CSR, calibrated.

    Args:
        rows, labels: of the labelled people. seed: of the folds.

    Attributes:
        strength: what was chosen. worth: its balanced accuracy, and held its probabilities, float64 (n, K), of the
        labelled people on folds that were not learned from.
    """

    def __init__(self, rows: Any, labels: Ints, seed: int = 0, strengths: Sequence[float] = STRENGTHS) -> None:
        from sklearn.model_selection import StratifiedKFold

        counts = np.bincount(labels)
        if np.count_nonzero(counts >= FOLDS) < 2:
            raise DataError(f"labels of {counts.tolist()} people; two labels of {FOLDS} people each are needed to tell")
        self.usual = counts / len(labels)
        self._folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        self.worth, self.strength = -np.inf, strengths[0]
        for strength in strengths:
            held = self._held_out(rows, labels, strength)
            found = Told.of(held, self.usual).balanced(labels)
            if found <= self.worth and strength > strengths[1]:
                break  # it is concave in the strength but for chance
            if found > self.worth:
                self.worth, self.strength, self.held = found, strength, held
        from sklearn.calibration import CalibratedClassifierCV

        calibrated = CalibratedClassifierCV(
            _regression(self.strength), method="temperature", cv=self._folds, ensemble=False
        )
        self._model = calibrated.fit(rows, labels)

    def _held_out(self, rows: Any, labels: Ints, strength: float) -> Doubles:
        """Probabilities of the labelled people on folds that were not learned from, float64 (n, K)."""
        from sklearn.model_selection import cross_val_predict

        # No leakage. Strengths are compared on labelled people whom the regression has not seen.
        found = cross_val_predict(_regression(strength), rows, labels, cv=self._folds, method="predict_proba")
        return np.asarray(found, np.float64)

    def probabilities(self, rows: Any) -> Doubles:
        """Calibrated probabilities of other people's labels, float64 (n, K)."""
        return np.asarray(self._model.predict_proba(rows), np.float64)

    def tell(self, rows: Any) -> Told:
        """What is told of other people."""
        return Told.of(self.probabilities(rows), self.usual)


class Likeness:
    """Labels by cosine to one row for each, (K, d), calibrated on labelled people. Raises DataError where these do not
    have two labels."""

    def __init__(self, centres: Floats, rows: Floats, labels: Ints) -> None:
        counts = np.bincount(labels, minlength=1)
        if np.count_nonzero(counts) < 2:
            raise DataError(
                f"labels of {counts.tolist()} people; people of two labels are needed to tell how sure it is"
            )
        self._centres = _unit(centres)
        self.usual = np.bincount(labels) / len(labels)
        self._model = _regression(1e3).fit(self._similar(rows), labels)

    @classmethod
    def prototypes(cls, rows: Floats, labels: Ints, each: int, seed: int = 0) -> Likeness:
        """Centres are means of ``each`` people of every label, less the mean of all; the rest calibrate. Raises
        DataError where these do not have two labels."""
        random, mean = np.random.default_rng(seed), rows.mean(axis=0)
        some = [random.permutation(np.flatnonzero(labels == k))[:each] for k in range(int(labels.max()) + 1)]
        centres = np.array([_unit(rows - mean)[chosen].mean(axis=0) for chosen in some])
        others = np.setdiff1d(np.arange(len(rows)), np.concatenate(some))
        out = cls(centres, rows[others] - mean, labels[others])
        out._mean = mean
        return out

    _mean: Any = 0.0

    def _similar(self, rows: Floats) -> Doubles:
        return np.asarray(10 * _unit(rows) @ self._centres.T, np.float64)

    def tell(self, rows: Floats) -> Told:
        """What is told of other people."""
        found = self._model.predict_proba(self._similar(rows - self._mean))
        return Told.of(np.asarray(found, np.float64), self.usual)


def interactions(taken: sp.csr_matrix) -> sp.csr_matrix:
    """What people took, each item by how rare it is, rows of unit length: CSR float64 (n, I)."""
    reach = np.asarray((taken > 0).sum(axis=0), np.float64).ravel()
    weighted = sp.csr_matrix(taken.astype(np.float64) @ sp.diags(np.log((taken.shape[0] + 1) / (1 + reach))))
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return sp.csr_matrix(sp.diags(1 / np.maximum(lengths, 1e-12)) @ weighted)


def surmised(rows: Any, labels: Ints, seed: int = 0) -> Doubles:
    """Labels one-hot, and how likely a regression makes them of rows (n, d), in log odds: float64 (n, K + K'), K' of
    K > 2 labels and one of two. A label that few carry is as likely as any."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = _regression(SURMISED, class_weight="balanced")
    # No leakage. What is surmised of somebody is told by others, as it will be of people who are new.
    found = cross_val_predict(model, rows, labels, cv=folds, method="decision_function")
    return np.hstack([one_hot(labels), np.asarray(found, np.float64).reshape(len(labels), -1)])


def _unit(rows: Floats) -> Floats:
    out: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return out


def _regression(strength: float, **further: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=500, **further)
