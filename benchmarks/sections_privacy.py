"""The section of RESULTS.md on privacy: what noise costs, and what an attack tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sections_table import table

STEPS = "Blocks: popularity and `autoencoder`, which is trained by DP-SGD; shares are of ε = 100."


def privacy(name: str, result: dict[str, Any]) -> list[str]:
    """NDCG against ε, beside popularity alone, and the AUC of the attack."""
    *rows, popular = result["rows"]
    whole, attack = rows[0]["ndcg"], result["attack"]
    told = []
    for row in rows:
        key = f"{row['epsilon']:g}"
        figures = [f"{row['ndcg']:.4f} ± {row['error']:.4f}", f"{row['ndcg'] / whole:.1%}", str(row["candidates"])]
        auc = f"{attack[key]:.3f}" if key in attack else ""
        told.append(["∞" if row["epsilon"] > 1e4 else key, *figures, auc])
    share = f"{popular['ndcg'] / whole:.1%}"
    told.append(["popularity alone, counted", f"{popular['ndcg']:.4f} ± {popular['error']:.4f}", share, "", ""])
    columns = ["ε", f"NDCG@{result['k']}", "of the first", "candidates compared", "AUC of the attack"]
    return [
        f"## Privacy: {name}",
        "",
        f"{result['users']:,} people, {result['items']:,} items, {result['events']:,} events, {result['split']} split "
        f"· {result['machine']} · user-level (ε, {result['delta']:g})-differential privacy of all that is learned from "
        f"several people, by noise on counts and a Gram matrix; the last {result['bound']} things that each took, no "
        "bound at ∞. " + ("Attack: members told from others by the links of `neighbours`." if attack else STEPS),
        "",
        *table(columns, told),
        "",
    ]


def attacks(name: str, result: dict[str, Any]) -> list[str]:
    """Who is told to be known, or to have been forgotten, by what a model shows."""
    words = {"both": "all of it", "artifact": "sides and links", "answers": f"lists of {result['k']}"}
    told = []
    for which, found in result.items():
        for row in found["rows"] if isinstance(found, dict) else ():
            cells = [f"{row['part']}, {words[row['of']]}" if row["part"] else words[row["of"]]]
            for one in (row, row.get("erased")):
                cells += ["", ""] if one is None else [_between(one, "auc", "interval"), _between(one, "tpr")]
            told.append([which, *cells])
    heads = ["known: AUC", "found at 1 %", "forgotten: AUC", "found at 1 % "]
    first = next(iter(found for found in result.values() if isinstance(found, dict)))
    return [
        f"## Attacks on membership: {name}",
        "",
        f"{result['users']:,} people, {first['people']:,} of them told apart, {result['split']} split · "
        f"{result['machine']} · {first['models']} models, each of half of the people; each in turn is attacked by a "
        f"guess that the others teach, on other people. fast: the preset; no noise: popularity, neighbours and ease; "
        f"both after {first['forgotten']} of those whom a model knew were forgotten (`--way refit`). epsilon 2: these "
        "three blocks with noise, δ = "
        f"{result['delta']:g}, where no attack can have an AUC above {result['bound']:.3f}. Found at 1 %: the share of "
        "them that is found where one in a hundred of those whom it never knew is taken for them. Intervals of 95 %.",
        "",
        *table(["model", "by", *heads], told),
        "",
    ]


def federation(name: str, result: dict[str, Any]) -> list[str]:
    """How far parties that keep their events are from one party that has all of them."""
    whole, error = result["network"]
    rows = []
    for row in result["rows"]:
        apart = ["0" if not value else f"{value:.0e}" for value in row["apart"].values()]
        sent = [f"{row['bytes'][what] / 1e6:,.0f}" if what in row["bytes"] else "" for what in ("closed", "network")]
        share = [f"{row['closed'] / result['closed']:.2%}", "not measured", ""]
        if "network" in row:
            share[1:] = [f"{row['network'][0]:.4f} ± {row['network'][1]:.4f}", f"{row['network'][0] / whole:.1%}"]
        rows.append([str(row["parties"]), f"{row['least']:,}–{row['most']:,}", *apart, *share, *sent])
    k, sides = result["k"], [f"{what}" for what in result["rows"][0]["apart"]]
    heads = [f"their NDCG@{k} of pooled", f"network, NDCG@{k}", "of pooled", "MB sent, closed", "MB sent, network"]
    return [
        f"## Federation: {name}",
        "",
        f"{result['users']:,} people, {result['items']:,} items, {result['split']} split · {result['machine']} · "
        "parties are uneven; bytes are of the one that sends most. Largest difference of any number to one party with "
        f"all events: of the sums, and of the items' sides of each closed-form block. Pooled, NDCG@{k} of these blocks "
        f"together is {result['closed']:.4f}, and that of the network {whole:.4f} ± {error:.4f}; it is trained for a "
        "tenth of a minute on one core.",
        "",
        *table(["parties", "people of each", *sides, *heads], rows),
        "",
    ]


def _between(found: dict[str, Any], what: str, ends: str = "tpr_interval") -> str:
    low, high = found[ends]
    return f"{found[what]:.3f} ({low:.3f}–{high:.3f})"


PRIVACY: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {
    "privacy": privacy,
    "attacks": attacks,
    "federation": federation,
}
