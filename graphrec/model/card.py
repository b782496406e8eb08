"""What an artifact says of itself for people: a model card, and the figures of its validation."""

from __future__ import annotations

from typing import Any

from graphrec.model.learned import Learned


def metrics(model: Learned) -> dict[str, Any]:
    """The validation figures that are the model's own; of choices that were taken over, whose they are."""
    found = dict(model.chosen.get("validation", {}))
    by = {"chosen_by": found.pop("chosen_by")} if "chosen_by" in found else {}
    return {"validation": found, **by}


def card(model: Learned) -> str:
    """A model card after Mitchell et al., FAT* 2019, with only what is known."""
    counts = "".join(f"| {what} | {n:,} |\n" for what, n in model.counts.items())
    blocks = "".join(f"| {b.name} | {b.size} | {b.weight:.3g} |\n" for b in model.profiles.blocks)
    found = metrics(model)
    if "chosen_by" in found:
        how = (
            f"Hyper-parameters and weights were taken over from the model `{found['chosen_by']}`; nothing was chosen\n"
            "or measured on this data. `graphrec evaluate` measures on a test part, or on later data."
        )
    elif not found["validation"]:
        how = (
            "Nothing was chosen or measured: too few people could be spared to judge, so what is set first was taken.\n"
            "`graphrec evaluate` measures on a test part, or on later data."
        )
    else:
        figures = ", ".join(f"{k} {v}" for k, v in found["validation"].items())
        how = (
            f"Hyper-parameters and weights were chosen on a validation part ({figures}), then everything was fitted\n"
            "on train and validation together. `metrics.json` holds the same figures; `graphrec evaluate` measures on\n"
            "a test part, or on later data."
        )
    return f"""# Model card: {model.data.name}

A graphrec model, version `{model.version}`. It recommends items to the users of one data set and explains why.

| trained on | |
| --- | --- |
{counts}
| block | size | weight |
| --- | --- | --- |
{blocks}
{how}
{_privacy(model)}
**Holds personal data:** user ids, what each user took, friendships, and the text of reviews. Treat it as such;
`graphrec forget MODEL --user ID` takes somebody out of all of it.
**Not for:** users or items of another catalogue; decisions about people.
"""


def _privacy(model: Learned) -> str:
    """What was spent of everybody's privacy, or that nothing was done for it."""
    spent = model.chosen.get("privacy")
    if not spent:
        return ""
    fits = ", ".join(f"{epsilon:g}" for epsilon in spent["fits"])
    return f"""
**Differential privacy:** ε = {spent["epsilon"]:g} at δ = {spent["delta"]:g} for {spent["of"]},
over {len(spent["fits"])} fits ({fits}), of the last {spent["events"]} things that each took. It holds for what is
learned of items, popularity, weights, choices and figures, and so for what answers tell of people other than who asks;
not for this folder, which holds what each user took.
"""
