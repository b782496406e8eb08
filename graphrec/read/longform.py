"""Columns of a side table → attributes in long form, with their types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import pandas as pd

from graphrec.data.attributes import AttributeType, Column, as_texts, infer, long_table
from graphrec.data.values import numbers
from graphrec.read import proof
from graphrec.read.spec import Spec

PLACE = "place"


def long_form(
    frame: pd.DataFrame, key: str, columns: Sequence[str], types: dict[str, AttributeType], spec: Spec
) -> tuple[pd.DataFrame | None, list[Column]]:
    """``key``, "key", "value" of every value that is there, and the type of each column.

    ``types`` says what is known; the rest is found out from the values. A list has a row for each of its values.
    """
    of: Literal["items", "users"] = "items" if key == "item_id" else "users"
    found = [
        infer(name, frame[name], types.get(name), of=of, allow=spec.allow_sensitive)
        if name not in spec.sensitive or name in spec.allow_sensitive
        else Column(name, infer(name, frame[name], types.get(name)).type, True, "sensitive: read for measuring only")
        for name in columns
    ]
    rows = [long_table(frame[key], frame[column.name], column, key) for column in found]
    return (pd.concat(rows, ignore_index=True) if rows else None), found


def no_numbers(frame: pd.DataFrame, columns: Sequence[Column]) -> Iterator[str]:
    """One line for each column of numbers in which some values are none."""
    for column in columns:
        if column.type != "number":
            continue
        texts = as_texts(frame[column.name])
        known = texts[texts != ""]
        distinct = pd.Series(known.unique(), dtype=object)
        wrong = known[known.isin(distinct[numbers(distinct).isna()])]
        if len(wrong):
            are = "are no numbers and count" if len(wrong) > 1 else "is no number and counts"
            yield (
                f"{len(wrong):,} of {len(known):,} values of {column.name!r} {are} as missing "
                f"(found {str(wrong.iloc[0])[:40]!r})"
            )


def places(frame: pd.DataFrame, key: str, latitude: str, longitude: str) -> tuple[pd.DataFrame, Column, int]:
    """Latitude and longitude as one attribute of type point: "lat,lon"; and how many are none in degrees."""
    at = pd.DataFrame({"lat": proof.numbers(frame[latitude]), "lon": proof.numbers(frame[longitude])})
    told = at.dropna()
    at = told[told["lat"].between(-90, 90) & told["lon"].between(-180, 180)]
    value = [f"{lat!r},{lon!r}" for lat, lon in zip(at["lat"].tolist(), at["lon"].tolist(), strict=True)]
    rows = pd.DataFrame({key: frame.loc[at.index, key], "key": PLACE, "value": value}).reset_index(drop=True)
    return rows, Column(PLACE, "point", why_not=""), len(told) - len(at)
