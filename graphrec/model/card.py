"""What an artifact says of itself for people: a model card, and the figures of its validation."""

from __future__ import annotations

from textwrap import fill
from typing import Any

from graphrec.model.learned import Learned
from graphrec.report.promises import promises


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
{_promises(model)}
**Holds personal data:** user ids, what each user took, friendships, and the text of reviews. Treat it as such;
`graphrec forget MODEL --user ID` takes somebody out of all of it.
**Not for:** users or items of another catalogue; decisions about people.
"""


def _promises(model: Learned) -> str:
    """What is promised of people: privacy, and fairness; or nothing."""
    clearing = model.profiles.clearing
    told = promises(model.chosen, [] if clearing is None else clearing.names)
    if model.chosen.get("privacy"):
        told.append("Privacy does not hold for this folder, which holds what each user took.")
    return "".join(f"\n{fill(text, 100, break_long_words=False)}\n" for text in told)
