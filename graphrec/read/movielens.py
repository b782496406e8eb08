"""MovieLens folders: ml-100k (``u.data``), ml-1m and ml-10m (``ratings.dat``), later ones (``ratings.csv``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from graphrec.data.attributes import Column
from graphrec.data.kinds import Kind
from graphrec.door import check as door
from graphrec.door.report import Report
from graphrec.read.assemble import Tables, checked, columns_of
from graphrec.read.columns import attributes
from graphrec.read.files import head, table
from graphrec.read.source import Source

NAME = "movielens"
_EVENT = ("user_id", "item_id", "rating", "timestamp")
_GENRES_100K = (
    *(
        "unknown",
        "Action",
        "Adventure",
        "Animation",
        "Children's",
        "Comedy",
        "Crime",
        "Documentary",
        "Drama",
        "Fantasy",
    ),
    *("Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_SENSITIVE = "sensitive: read for measuring only"
_PEOPLE = {"age": _SENSITIVE, "gender": _SENSITIVE, "occupation": ""}
_ROLES = {
    **{c: c for c in ("user_id", "item_id", "rating", "timestamp", "title")},
    "userId": "user_id",
    "movieId": "item_id",
    **dict.fromkeys(("genre", "genres", *_GENRES_100K, *_PEOPLE), "attribute"),
}
_WHY_NOT = {
    **dict.fromkeys(("age", "gender"), _SENSITIVE),
    "zip": "personal",
    "url": "links or images",
    "released": "the title holds the year",
    "video": "empty",
}
_NO_GENRE = "(no genres listed)"


@dataclass(frozen=True)
class _Layout:
    """One generation of files. CSV files name their columns themselves; zip codes are read but not kept."""

    ratings: str
    sep: str
    movies: str
    movies_sep: str = ""
    movie_names: Sequence[str] = ()
    users: str = ""
    user_names: Sequence[str] = ()
    lowest: float = 1.0

    @property
    def headed(self) -> bool:
        return self.ratings.endswith(".csv")


_LAYOUTS = (
    _Layout(
        "u.data",
        "\t",
        "u.item",
        "|",
        ["item_id", "title", "released", "video", "url", *_GENRES_100K],
        "u.user",
        ["user_id", "age", "gender", "occupation", "zip"],
    ),
    _Layout(
        "ratings.dat",
        "::",
        "movies.dat",
        "::",
        ["item_id", "title", "genre"],
        "users.dat",
        ["user_id", "gender", "age", "occupation", "zip"],
        lowest=0.5,  # ml-10m has half stars
    ),
    _Layout("ratings.csv", ",", "movies.csv", lowest=0.5),
)


def matches(source: Source) -> Path | None:
    """``u.data``, ``ratings.dat`` with ``::``, or ``ratings.csv`` with the column ``movieId``."""
    for path in source.candidates:
        name = path.name.lower().removesuffix(".gz")
        if (
            (name == "u.data" and b"\t" in head(path))
            or (name == "ratings.dat" and b"::" in head(path))
            or (name == "ratings.csv" and head(path).lower().startswith(b"userid,movieid,"))
        ):
            return path
    return None


def read(source: Source, report: Report) -> Tables:
    """Ratings with times, titles and genres, and users' gender, age and occupation (codes as published) where given."""
    quarantine = report.quarantine
    path = source.only(filter(None, [matches(source)]), NAME)
    layout = next(x for x in _LAYOUTS if x.ratings == path.name.lower().removesuffix(".gz"))
    if layout.headed:
        raw = table(path, quarantine, sep=layout.sep, quoted=True, needs=["userId", "movieId", "rating"])
    else:
        raw = table(path, quarantine, sep=layout.sep, names=_EVENT)
    report.use_file(path, "events", kind="rating")
    report.use_columns(path, _names(raw), _ROLES)
    raw = raw.rename(columns={"userId": "user_id", "movieId": "item_id"})
    limits = source.spec.rating_range or (layout.lowest, 5.0)
    events = checked(raw, quarantine, path, limits)

    items = item_attributes = user_attributes = None
    if (movies := source.find(layout.movies)) is not None:
        if layout.headed:
            items = table(movies, quarantine, sep=layout.sep, quoted=True, needs=["movieId", "title", "genres"])
            report.use_columns(movies, _names(items), _ROLES, types={"genres": "list"})
            items = items.rename(columns={"movieId": "item_id", "genres": "genre"})
        else:
            items = table(movies, quarantine, sep=layout.movies_sep, names=layout.movie_names, legacy=True)
            types = dict.fromkeys(("genre", *_GENRES_100K), "list")
            report.use_columns(movies, layout.movie_names, _ROLES, _WHY_NOT, types)
        report.use_file(movies, "items")
        items = door.check_ids(items, quarantine, "item_id")
        if "genre" not in items:
            flags = items[list(_GENRES_100K)] == "1"
            items["genre"] = ["|".join(flags.columns[row]) for row in flags.to_numpy()]
        item_attributes = attributes(items, "item_id", "item_id", ["genre"], "|")
        item_attributes = item_attributes[~item_attributes["value"].isin([_NO_GENRE, "unknown"])]
    if layout.users and (users := source.find(layout.users)) is not None:
        frame = table(users, quarantine, sep=layout.sep.replace("\t", "|"), names=layout.user_names, legacy=True)
        report.use_file(users, "users")
        report.use_columns(users, layout.user_names, _ROLES, _WHY_NOT, dict.fromkeys(_PEOPLE, "category"))
        frame = door.check_ids(frame, quarantine, "user_id")
        user_attributes = attributes(frame, "user_id", "user_id", list(_PEOPLE), "")
    return Tables(
        events,
        kinds=[Kind("rating", values="rating", scale=limits)],
        items=None if items is None else items[["item_id", "title"]],
        item_attributes=item_attributes,
        user_attributes=user_attributes,
        item_columns=columns_of({"genre": "list"}),
        user_columns=[Column(c, "category", bool(why), why) for c, why in _PEOPLE.items()],
        catalogue=source.spec.catalogue or "all",
    )


def _names(frame: pd.DataFrame) -> list[str]:
    return [c for c in frame.columns if c not in ("file", "line")]
