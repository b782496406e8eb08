"""What differential privacy costs: NDCG against ε, and what an attack on what was learned tells.

    python benchmarks/privacy.py ../shared/data                 # all three, and docs/privacy.svg of them
    python benchmarks/privacy.py ../shared/data --only generated
    python benchmarks/privacy.py ../shared/data --steps         # of `autoencoder`, trained by private steps
    python benchmarks/privacy.py ../shared/data --attacks       # membership, as `evaluate --privacy` tells it

The same blocks, the same search and the same share of the people as judges at every ε; at ∞ there is no bound on what
one person adds either, and the noise is too little to change anything. Test users are looked at once for each ε.

The attack: half of the people teach, the others do not. Whoever has the items' sides guesses who did by how strongly
what somebody took is linked among itself; the AUC is that of members against others, .5 by chance. It is against the
links of `neighbours` with the settings in the middle.

``--steps``: popularity and `autoencoder`, whose gradients get noise (DP-SGD), kept beside the others.

``--attacks``: the stronger one of ``evaluate.membership``, with shadow models, against the artifact and the answers of
preset ``fast`` (of the larger set: of the three blocks without noise), after some of the people whom each model knows
were forgotten, and of models at ε = 2. Told from people whom a model never knew: those whom it knows, and those whom it
has forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import scipy.sparse as sp
import typer
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from graphrec import attacks
from graphrec.blocks.api import FitInputs
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.evaluate.membership import ERASED, IN, LISTS, OUT, membership
from graphrec.evaluate.ranking import EmbeddingScorer, Scorer, Task, evaluate
from graphrec.forgetting import forgotten
from graphrec.linalg.sums import ItemSums
from graphrec.pooled import from_last, lots, start_of, summed_blocks
from graphrec.privacy.accountant import mu_of
from graphrec.privacy.mechanism import Gaussian, bounded, released_sums
from graphrec.private import PRIVATE
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender
from graphrec.samples import generate_edges

EPSILONS = (1.0, 2.0, 4.0, 10.0)
NONE = 1e5  # an ε at which noise changes nothing
LITTLE = 100.0  # the highest that private steps are counted to
DELTA, EVENTS, K, USERS = 1e-6, 50, 20, 3000
SETTINGS = (
    *("blocks=popularity,neighbours,ease", "features.enabled=false", "kg.enabled=false", "evaluate.relevant=all"),
    *("ease.regularisation=100,1000", "neighbours.n=50,200", "neighbours.beta=0.2,0.4"),
)
RUNS = {"lastfm_social": ("given", 0.1), "ml1m_kg": ("given", 0.1), "generated": ("random", 0.02)}  # split, judges
ATTACKED = {"lastfm_social": 1859, "ml1m_kg": 1000}  # people who are told apart
ERASURES = 230  # people whom each model forgets: so few that sums are subtracted where that is cheaper
STEPS = ("blocks=popularity,autoencoder",)
PICTURE = report.HERE.parent / "docs" / "privacy.svg"


def settings(epsilon: float, kind: str, judges: float = 0.1, others: Sequence[str] = ()) -> Config:
    most = 10**6 if epsilon == NONE else EVENTS
    own = (f"privacy.epsilon={epsilon}", f"privacy.delta={DELTA}", f"privacy.events={most}", f"split.kind={kind}")
    return Config.load(None, [*SETTINGS, *own, f"privacy.judges={judges}", *others])


def ndcg(scorer: Scorer, ties: Ties, parts: Split) -> tuple[float, float]:
    """NDCG@K of at most ``USERS`` test users, and its standard error."""
    task = Task("all")
    truth = task.truth(parts.test)
    there = np.flatnonzero(np.diff(truth.indptr))
    drawn = np.random.default_rng(0).permutation(there)[:USERS]
    kept = sp.csr_matrix((np.ones(len(drawn)), (drawn, drawn)), (truth.shape[0],) * 2)
    each = evaluate(scorer, Queries.before(ties, parts.test), sp.csr_matrix(kept @ truth), (K,), auc=False, task=task)
    values = each.per_user[f"ndcg@{K}"]
    return float(values.mean(dtype=np.float64)), float(values.std() / len(values) ** 0.5)


def attacked(data: Dataset, epsilons: Sequence[float]) -> dict[str, float]:
    """AUC of the attack at each ε."""
    rows, place = from_last(data, 0)
    matrix = bounded(data.seen(), place[np.lexsort((rows.item_nums, rows.user_nums))], 10**6)
    inside = lots(data.users.ids, 99) < np.uint64(2**63)
    blocks, _ = summed_blocks(settings(1.0, "random"))
    block, empty = blocks["neighbours"], FitInputs(Ties(data.subset(np.zeros(len(data.events), bool))), None)
    out = {}
    for epsilon in epsilons:
        if epsilon == NONE:
            sums = ItemSums.of(matrix[inside], data.items.ids, exponents=(0.5,))
        else:
            kept = bounded(data.seen(), place[np.lexsort((rows.item_nums, rows.user_nums))], EVENTS)[inside]
            sums = released_sums(
                kept, data.items.ids, float(inside.sum()), EVENTS, mu_of(epsilon, DELTA), Gaussian.secret()
            )
        start, _ = start_of({"neighbours": block}, sums)
        chosen = {key.partition(".")[2]: value for key, value in start.items()}
        links = sp.csr_matrix(block.from_sums(sums, empty, chosen).items)
        among = np.asarray((matrix @ links).multiply(matrix).sum(axis=1)).ravel()
        taken = np.diff(matrix.indptr)
        asked = taken > 1
        score = among[asked] / (taken[asked] * (taken[asked] - 1))
        out[f"{epsilon:g}"] = float(roc_auc_score(inside[asked], score))
    return out


def measured(parts: Split, kind: str, judges: float, others: Sequence[str] = ()) -> list[dict[str, Any]]:
    rows = []
    for epsilon in (LITTLE if others else NONE, *EPSILONS[::-1]):
        model = Recommender(settings(epsilon, kind, judges, others)).fit_split(parts).fitted
        value, error = ndcg(model, model.ties, parts)
        spent = model.chosen[PRIVATE]
        row = {"epsilon": epsilon, "ndcg": value, "error": error, "candidates": spent["candidates"]}
        rows.append({**row, "judges": spent["judges"], "weights": model.profiles.weights})
        print(row, flush=True)
    popular = EmbeddingScorer(np.ones((parts.train.n_users, 1), np.float32), model.popular[:, None])
    counts = np.bincount(parts.fit_data.events.item_nums, minlength=parts.train.n_items).astype(np.float32)
    value, error = ndcg(replace(popular, items=counts[:, None]), Ties(parts.fit_data), parts)
    return [*rows, {"epsilon": 0.0, "ndcg": value, "error": error}]


def draw(results: dict[str, Any], picture: Path) -> None:
    """NDCG against that at ∞, over ε; a line for each data set."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for name, found in sorted(results.items()):
        whole = found["rows"][0]["ndcg"]
        points = sorted((row["epsilon"], row["ndcg"] / whole) for row in found["rows"][1:-1])
        (line,) = axes.plot(*zip(*points, strict=True), marker="o", label=f"{name}, {found['users']:,} people")
        axes.axhline(found["rows"][-1]["ndcg"] / whole, color=line.get_color(), linestyle=":", linewidth=1)
    axes.set(xscale="log", xlabel="ε at δ = 1e-6", ylabel=f"NDCG@{K}, without noise = 1")
    axes.set_title("dotted: popularity alone, counted without noise", fontsize="small")
    axes.set_xticks(EPSILONS, [f"{e:g}" for e in EPSILONS])
    axes.set_ylim(0, 1.05)
    axes.legend(fontsize="small", loc="lower right")
    figure.savefig(picture, metadata={"Date": None})


def membership_of(parts: Split, config: Config, people: int, forget: int = 0) -> dict[str, Any]:
    """How well a guess tells whom a model knows; with ``forget``, after each has forgotten so many."""
    model = Recommender(config).fit_split(parts).fitted
    drawn = attacks.drawn_of(model, people)
    states = attacks.halves(model.data.n_users, attacks.MODELS, config.seed)
    shown, rng = [], np.random.default_rng(config.seed + 2)
    for m, state in enumerate(states):
        half = attacks.learned_of(model, np.flatnonzero(state == OUT))
        if forget:
            gone = np.sort(rng.permutation(np.flatnonzero(state == IN))[:forget])
            half, receipt = forgotten(half, [model.data.users.ids[n] for n in gone.tolist()], caches=False)
            states[m, gone] = ERASED
            print(m, len(gone), {block.block: block.way for block in receipt.blocks}, flush=True)
        shown.append(attacks.shows(half, model, drawn))
    wanted = (IN, ERASED) if forget else (IN,)
    rows = membership(shown, states[:, drawn], wanted, config.seed)
    for row in rows:
        print(row, flush=True)
    weights = model.profiles.weights
    return {"rows": rows, "people": len(drawn), "forgotten": forget, "models": attacks.MODELS, "weights": weights}


def attack(data: Path, only: str) -> None:
    """Membership in models of two data sets, kept as ``attacks``."""
    for name, people in ATTACKED.items():
        if only in ("", name):
            source = Dataset.load(data / name)
            fast = name == "lastfm_social"  # else the three blocks that noise is compared with, as they take minutes
            others = ("features.enabled=false", "kg.enabled=false") if fast else SETTINGS
            config = Config.load(None, ["split.kind=given", *others], "fast" if fast else "default")
            parts = split(replace(source, reviews=source.reviews[:0]), config.cut, config.seed)
            told: dict[str, Any] = {"fast" if fast else "no noise": membership_of(parts, config, people, ERASURES)}
            told["epsilon 2"] = membership_of(parts, settings(2.0, "given"), people)
            told |= {"users": parts.fit_data.n_users, "delta": DELTA, "bound": norm.cdf(mu_of(2.0, DELTA) / 2**0.5)}
            report.keep("attacks", name, told | {"split": parts.kind, "k": LISTS})


def main(
    data: Annotated[Path, typer.Argument()],
    only: Annotated[str, typer.Option(help="One of the runs.")] = "",
    users: Annotated[int, typer.Option(help="Of the generated data.")] = 100_000,
    items: Annotated[int, typer.Option(help="Of the generated data.")] = 2_000,
    steps: Annotated[bool, typer.Option("--steps", help="Of `autoencoder`, by private steps.")] = False,
    attacks_: Annotated[bool, typer.Option("--attacks", help="Membership alone.")] = False,
) -> None:
    if attacks_:
        attack(data, only)
        return
    for name, (kind, judges) in RUNS.items():
        if only in ("", name):
            generated = name == "generated"
            source = generate_edges(users, items, 15 * users) if generated else Dataset.load(data / name)
            config = settings(1.0, kind)
            parts = split(replace(source, reviews=source.reviews[:0]), config.cut, config.seed)
            known = parts.fit_data
            rows = measured(parts, kind, judges, STEPS if steps else ())
            auc = {} if steps else attacked(known.alike(), (NONE, 10.0, 2.0))
            told = {"rows": rows, "attack": auc, "users": known.n_users, "items": known.n_items}
            told |= {"events": len(known.events), "delta": DELTA, "bound": EVENTS, "k": K, "split": parts.kind}
            report.keep("privacy", f"{name}, private steps" if steps else name, told)
            print(name, auc, flush=True)
    draw({name: found for name, found in report.kept("privacy").items() if name in RUNS}, PICTURE)


if __name__ == "__main__":
    typer.run(main)
