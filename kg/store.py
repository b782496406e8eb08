"""A knowledge graph in a folder: Parquet tables and one npz of arrays, without pickle; reads back equal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import pyarrow as pa

from kg.errors import KGError
from kg.graph import ENTITY_COLUMNS, MENTION_COLUMNS, PROVENANCE_COLUMNS, KnowledgeGraph, table

COLUMNS = {
    "entities": ENTITY_COLUMNS,
    "provenance": PROVENANCE_COLUMNS,
    "mentions": MENTION_COLUMNS,
    "relations": ["relation"],
    "relation_labels": ["relation", "label"],
    "texts": ["review_id", "text"],
}


def save(graph: KnowledgeGraph, folder: str | Path) -> None:
    """Write a graph into a folder, which is made where it is missing."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    values: dict[str, Mapping[str, Any] | pd.DataFrame] = {
        "entities": graph.entities,
        "provenance": graph.provenance,
        "mentions": graph.mentions,
        "relations": {"relation": list(graph.relations)},
        "relation_labels": dict(zip(("relation", "label"), _columns(graph.relation_labels), strict=True)),
        "texts": dict(zip(("review_id", "text"), _columns(graph.texts), strict=True)),
    }
    for name, columns in COLUMNS.items():
        table(columns, values[name]).to_parquet(folder / f"{name}.parquet", index=False)
    np.savez(folder / "triples.npz", triples=graph.triples, counts=graph.counts, polarity=graph.polarity)


def load(folder: str | Path) -> KnowledgeGraph:
    """Read a graph that ``save`` wrote. Raises KGError where a file is missing, damaged or not a graph's."""
    folder = Path(folder)
    try:
        frames = {name: table(c, pd.read_parquet(folder / f"{name}.parquet", columns=c)) for name, c in COLUMNS.items()}
        with np.load(folder / "triples.npz", allow_pickle=False) as arrays:
            triples, counts, polarity = arrays["triples"], arrays["counts"], arrays["polarity"]
    except FileNotFoundError as error:
        raise KGError(f"{error.filename}: missing; save the knowledge graph again") from None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, pa.ArrowException) as error:
        found = " ".join(str(error).split())[:120]
        raise KGError(f"{folder}: a damaged knowledge graph ({found}); save it again") from None
    labels, texts = frames["relation_labels"], frames["texts"]
    return KnowledgeGraph(
        entities=frames["entities"],
        relations=tuple(frames["relations"]["relation"]),
        triples=triples,
        counts=counts,
        polarity=polarity,
        provenance=frames["provenance"],
        mentions=frames["mentions"],
        texts=dict(zip(texts["review_id"], texts["text"], strict=True)),
        relation_labels=dict(zip(labels["relation"], labels["label"], strict=True)),
    )


def _columns(mapping: dict[str, str]) -> tuple[list[str], list[str]]:
    return list(mapping), list(mapping.values())
