"""What attention over blocks is worth: weights by what is known of who asks against weights that are the same for all.

    python benchmarks/gate.py ../shared/data --only amazon_beauty/leave-last

Everything is chosen on validation users with preset `fast`. Gains are of NDCG@20 on validation people by whom a gate
was not learned: from how much somebody took alone, from how many people took that, and from all that the product hears.
It is used where the last is surely above 0; there the test part is ranked with it and without, at one look for both.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any
from unittest.mock import patch

import report
import typer
from presets import METRICS, RUNS

from graphrec import fit
from graphrec.blocks.gated import Gated, gated
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.ranking import Report, Scorer, Task, evaluate
from graphrec.evaluate.significance import paired_p_value
from graphrec.profile.gate import FEATURES
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender

FORMS: dict[str, tuple[str, ...]] = {"events": ("events",), "support": ("support", "last"), "all": tuple(FEATURES)}


def measured(folder: Path, kind: str, relevant: str, work: Path | None) -> dict[str, Any]:
    """Gains of each form, and where a gate is used both rows of test figures."""
    config = Config.load(None, (f"split.kind={kind}", f"evaluate.relevant={relevant}"), "fast")
    parts = split(Dataset.load(folder), config.cut, config.seed)
    calls: list[tuple[Any, Any, Any, int, int]] = []

    def heard(*given: Any) -> Gated:
        calls.append(given)
        return gated(*given)

    with patch.object(fit, "gated", heard):
        chosen = fit.choose(parts.folds, Recommender(config, progress=False, work=work)._fitting(parts.fit_data))
    forms, seconds = {}, 0.0
    for name, names in FORMS.items():
        start = time.process_time()
        found = gated(*calls[0], names)
        seconds = time.process_time() - start
        forms[name] = {"gain": found.gain, "error": found.error, "used": found.gate is not None}
    out = {"forms": forms, "seconds": seconds, "people": chosen["validation"]["users"], "gate": chosen.get("gate")}
    if "gate" not in chosen:
        return out
    queries, task = Queries.before(Ties(parts.fit_data), parts.test), Task.of(config)

    def tested(scorer: Scorer) -> Report:
        return evaluate(scorer, queries, task.truth(parts.test), (10, 20), config.evaluate.batch_size, task=task)

    given = {name: value for name, value in chosen.items() if name != "gate"}
    rows: dict[str, Report] = {}
    for name, choice in {"fixed": given, "gate": chosen}.items():
        rows[name] = tested(Recommender(config, progress=False).fit(parts.fit_data, choice))
    out["test"] = {name: {m: row.metrics[m] for m in METRICS} for name, row in rows.items()}
    out["p"] = paired_p_value(*(rows[name].per_user["ndcg@20"] for name in ("gate", "fixed")))
    return out | {"users": len(rows["gate"].user_nums)}


def main(
    data: Path,
    only: Annotated[str, typer.Option(help="One of the runs of presets.py.")] = "",
    work: Annotated[Path | None, typer.Option(help="A folder that keeps what blocks chose, to go on from.")] = None,
) -> None:
    for name, relevant in RUNS.items():
        folder, kind = name.split("/")
        if only not in ("", name) or not (data / folder).exists():
            continue
        place = None if work is None else work / name.replace("/", "_")
        found = measured(data / folder, kind, relevant, place)
        looks = report.kept("gate", name).get("looks", 0) + ("test" in found)
        print(name, found, flush=True)
        report.keep("gate", name, {**found, "relevant": relevant, "looks": looks})


if __name__ == "__main__":
    typer.run(main)
