"""What a model promises of people, from its choices, in plain sentences: for a report and a model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def promises(chosen: Mapping[str, Any], cleared: Sequence[str] = ()) -> list[str]:
    """A sentence each for the budget of privacy that was spent, the target of fairness that was asked for, and the
    attributes that profiles are ``cleared`` of; none where nothing is promised."""
    out = []
    if spent := chosen.get("privacy"):
        fits = ", ".join(f"{epsilon:g}" for epsilon in spent["fits"])
        out.append(
            f"Differential privacy: ε = {spent['epsilon']:g} at δ = {spent['delta']:g} for {spent['of']}, over "
            f"{len(spent['fits'])} fits ({fits}), of the last {spent['events']} things that each took. It holds for "
            "what is learned of items, popularity, weights, choices and figures, and so for what answers tell of "
            "people other than who asks."
        )
    if (fair := chosen.get("fair", {})).get("target"):
        out.append(f"fair.target = {fair['target']}: {_met(fair)}")
    if cleared:
        out.append(f"Profiles are cleared of {', '.join(cleared)}, in a straight line (LEACE).")
    return out


def _met(fair: Mapping[str, Any]) -> str:
    """Whether a target was met on validation users, and at what price."""
    if not fair["met"]:
        sure = fair.get("sure", True)
        return (
            "it is not met, and nothing was changed" if sure else "no gap was surely above chance; nothing was changed"
        )
    before, after = fair["before"], fair["after"]
    figures = [f"{name} {before[name]:.4f} → {after[name]:.4f}" for name in before if isinstance(before[name], float)]
    return f"it is met on validation users ({', '.join(figures)})"
