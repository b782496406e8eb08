"""The command that writes a report for people: one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from graphrec.cli.options import (
    AllowBad,
    Attacks,
    ConfigFile,
    CutOffs,
    NewData,
    PresetName,
    Probed,
    Settings,
    SourceOrModel,
    as_fitted,
    config_of,
    kept_in,
    listed,
    load_data,
)
from graphrec.cli.output import note
from graphrec.errors import ConfigError


def report(
    source: SourceOrModel,
    new: NewData = None,
    out: Annotated[Path, typer.Option("--out", help="The file to write, .html.")] = Path("report.html"),
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006
    preset: PresetName = "default",
    k: CutOffs = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", help="Groups to measure by, a comma list; by default all but sensitive attributes. none: none."
        ),
    ] = None,
    probe: Probed = None,
    privacy: Attacks = False,
    explanations: Annotated[bool, typer.Option("--explanations", help="Also measure the explanations.")] = False,
    allow_bad: AllowBad = None,
) -> None:
    """Write quality, blocks, groups, drift and data as one HTML file with plots.

    SOURCE is split, learned from and measured as by `graphrec evaluate`; a MODEL is measured on NEWDATA, or without it
    described as it is.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--out {out}: a report is HTML; let the name end in .html")
    if not out.resolve().parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}; make it, or choose another place")
    _writable(out)
    if (source / "manifest.sha256").is_file():
        as_fitted({"--config": config, "--set": set_, "--preset": preset != "default"})
        document = _of_model(source, new, k, by, explanations, allow_bad, probe, privacy)
    elif new is not None:
        raise ConfigError(f"{source}: is no model, so there is nothing to measure on {new}")
    else:
        from graphrec.experiment import evaluate_model

        settings, data = config_of(config, set_, None, k, preset), load_data(source, allow_bad)
        groups = _groups(by, data)
        with kept_in(out.with_name(f"{out.name}.work"), settings) as work:
            document = evaluate_model(
                data,
                settings,
                explanations=explanations,
                progress=True,
                by=groups,
                probe=listed(probe),
                each_block=True,
                privacy=privacy,
                work=work,
            ) | _beside(data)
    from graphrec.report import page

    out.write_text(page(document), "utf-8", errors="replace")  # JSON may tell of halves of characters
    note(f"{out} written")


def _writable(out: Path) -> None:
    """Raises ConfigError where the page could not be written, before minutes go into what it says."""
    try:
        there = out.exists()
        with out.open("ab"):
            pass
        if not there:
            out.unlink()
    except OSError as error:
        raise ConfigError(f"--out {out}: cannot be written ({error.strerror}); choose another place") from None


def _of_model(
    source: Path,
    new: Path | None,
    k: str | None,
    by: str | None,
    explanations: bool,
    allow_bad: float | None,
    probe: str | None,
    privacy: bool,
) -> dict[str, Any]:
    """What is told of a model, measured on later data where there are any."""
    import graphrec
    from graphrec.experiment import measure_model

    model = graphrec.load(source).fitted
    clearing = model.profiles.clearing
    cleared = [] if clearing is None else list(clearing.names)
    own = {"model_version": model.version, "chosen": model.chosen, "cleared": cleared}
    if new is None:
        if by is not None or explanations or privacy or k is not None or probe is not None:
            raise ConfigError(
                f"{source}: nothing is measured without data; name NEWDATA,"
                " or leave --by, --probe, --privacy and -k out"
            )
        return {
            "data": model.data.name,
            "metrics": {},
            "warnings": model.data.report.all_warnings(),
            **own,
            **_beside(model.data),
        }
    data = load_data(new, allow_bad)
    settings = model.config if k is None else model.config.with_(evaluate={"k": k})
    groups = _groups(by, model.data, data)
    measured = measure_model(
        model, data, settings, explanations=explanations, progress=True, by=groups, probe=listed(probe), privacy=privacy
    )
    return measured | own | _beside(data)


def _groups(by: str | None, known: Any, told: Any = None) -> list[str]:
    from graphrec.evaluate.groups import groupings

    if by is None:
        return groupings(known, told)
    return [] if by == "none" else listed(by)


def _beside(data: Any) -> dict[str, Any]:
    """What is told of data whatever is measured on them."""
    from datetime import UTC, datetime

    from graphrec import __version__
    from graphrec.data.drift import drift

    made = f"made by graphrec {__version__} on {datetime.now(UTC).date().isoformat()}"
    return {"made": made, "counts": data.counts(), "drift": drift(data), "source": data.report.to_json()}
