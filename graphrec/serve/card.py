"""The model card as a document: what a page about the model shows."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from graphrec.data.kinds import WEIGHTS
from graphrec.serve.service import Service

VALUES = 50  # of an attribute, at most


def card(service: Service) -> dict[str, Any]:
    """What the model was learned from and how, what may be asked of it, and how fresh it is."""
    state, version = service.state, service.state.current
    model, made = version.model, version.made
    kinds = [
        {"name": k.name, "weight": k.weight, "values": k.values, "scale": list(k.scale) if k.scale else None}
        for k in model.data.events.kind_table
    ]
    own = {kind["name"] for kind in kinds}
    chosen = dict(model.chosen)
    stamps = model.data.events.timestamps
    return {
        "artifact": version.artifact,
        "name": model.data.name,
        "counts": {**model.data.counts(), **model.counts},
        "blocks": [
            {"name": b.name, "weight": b.weight, "size": b.size, "linear": bool(b.linear), "empty": bool(b.empty)}
            for b in model.profiles.blocks
        ],
        "validation": chosen.get("validation", {}),
        "chosen": {name: value for name, value in chosen.items() if name not in ("validation",)},
        "cleared": [] if model.profiles.clearing is None else list(model.profiles.clearing.names),
        "language": model.spoken,
        "seen": model.config.seen,
        "kinds": kinds,
        "further_kinds": {name: weight for name, weight in WEIGHTS.items() if name not in own},
        "attributes": _attributes(model),
        "words": model.profiles.of_texts is not None and model.config.features.enabled,
        "scenarios": {name: dict(fields) for name, fields in service.settings.scenarios.items()},
        "explore": service.settings.explore,
        "freshness": {
            "made": made,
            "age_seconds": None if made is None else time.time() - made,
            "loaded": version.loaded,
            "latest_event": None if stamps is None or not len(stamps) else int(stamps.max()),
            "unseen_events": version.live.told,
            "behind": model.behind,
        },
        "hidden_items": len(state.shown.hidden),
        "forgotten_people": len(state.shown.gone),
        "coverage": service.metrics.covered(version.of),
        "trial": None if state.trial is None else state.trial.to_json(),
    }


def _attributes(model: Any) -> list[dict[str, Any]]:
    """Attributes of items that filters know: name, type, and the values that most items have."""
    rows, out = model.data.item_attributes, []
    counts = rows.groupby(["key", "value"], sort=False).size()
    for column in model.data.item_columns:
        if column.name not in counts.index.get_level_values(0):
            continue
        common = counts[column.name].sort_values(ascending=False, kind="stable")
        values = [{"value": str(v), "items": int(n)} for v, n in common.head(VALUES).items()]
        found: dict[str, Any] = {"name": column.name, "type": column.type, "values": values, "of": len(common)}
        if column.type == "number":
            numbers = np.array([float(v) for v in common.index if _number(v)])
            found |= {"least": float(numbers.min()), "most": float(numbers.max())} if len(numbers) else {}
        out.append(found)
    return out


def _number(text: Any) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
