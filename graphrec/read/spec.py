"""``data.toml``: everything that can be said about a source. What is not said is found out from the files.

::

    format = "csv"                     # amazon, recbole, lightgcn, movielens, lastfm, ml1m_kg, mind; csv for any tables
    file = "events.csv"                # which file of the folder holds the events
    rating_range = [1, 5]              # ratings outside are set aside
    graph = ["dbpedia.nt"]             # RDF beside it; without this line every .nt, .nq, .ttl and .trig file
    user = "me"                        # whose events they are, in files without a column of users
    catalogue = "all"                  # or "events": only items and users that have an event (published sets do)
    allow_bad = 0.05                   # the share of rows that one reason may set aside
    sensitive = ["income"]             # attributes of people that are read for measuring only, beside gender, age …
    allow_sensitive = ["age_band"]     # sensitive attributes that may be learned from

    [columns]                          # role = column, for the one file of events
    user_id = "customer"

    [kinds]                            # what one event of a kind says; a purchase is 1, a dislike below 0
    view = 0.2

    [ignore]                           # files that are not read, and why
    "notes.txt" = "no table"

    [[events]]                         # one for each; also [[items]], [[users]], [[friends]], [[triples]], [[links]]
    file = "orders.csv"
    kind = "order"
    columns = { user_id = "customer_id", item_id = "product_id", timestamp = "ordered_at", count = "quantity" }
    unused = { order_id = "identifies rows" }
"""

from __future__ import annotations

import codecs
import difflib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from graphrec.data.attributes import AttributeType
from graphrec.errors import FormatError
from graphrec.read.columns import ROLES, Role

SPEC_FILE = "data.toml"
Format: TypeAlias = Literal["amazon", "recbole", "lightgcn", "movielens", "lastfm", "ml1m_kg", "mind", "csv"]
Use: TypeAlias = Literal["events", "items", "users", "friends", "triples", "links"]
MOST = 30  # names in an answer
USES: tuple[Use, ...] = get_args(Use)


def _ordered(limits: tuple[float, float]) -> tuple[float, float]:
    if not limits[0] <= limits[1]:
        raise ValueError("the lower end comes first")
    return limits


def _reasons(given: Any) -> Any:
    """A list of names is a table of names without reasons."""
    return dict.fromkeys(given, "data.toml says so") if isinstance(given, (list, tuple)) else given


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except (LookupError, ValueError):
        raise ValueError(f"{name!r} is no encoding that Python knows; try utf-8, cp1252, latin-1 or gb18030") from None
    return name


Encoding = Annotated[str, AfterValidator(_known_encoding)]
Person = Annotated[str, Field(min_length=1, max_length=512, pattern=r"\S")]
Weight = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
Reasons = Annotated[dict[str, str], BeforeValidator(_reasons)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Table(_Strict):
    """One file that is a table: how it is written down, and which column is which.

    Args:
        file: its path below the folder. sep: one or more characters, "" for any run of blanks.
        encoding: a Python codec name. header: whether the first line names the columns. names: the columns of a file
            without such a line. skip: lines before the header. quoted: fields may stand in double quotes.
        decimal: the decimal sign of its numbers. date_format: as in ``strptime``. zone: of times that name none
            ("Europe/Berlin"). unit: of times that are numbers.
        columns: role = column. unused: column = why it is not used, or a list of columns.
    """

    file: str
    sep: str | None = None
    encoding: Encoding | None = None
    header: bool | None = None
    names: tuple[str, ...] = ()
    skip: int | None = Field(None, ge=0)
    quoted: bool | None = None
    decimal: Literal[".", ","] | None = None
    date_format: str | None = None
    zone: str | None = None
    unit: Literal["s", "ms", "us", "ns", "days", "excel", "year", "yyyymmdd"] | None = None
    columns: dict[Role, str] = {}
    unused: Reasons = {}


class EventTable(Table):
    """A file of events.

    Args:
        user: the id of the one person whose events these are, where no column says it.
        kind: of all its events, where no column says it. weight: what one event of this kind says.
        values: what the column of ratings or counts holds. scale: the ends of the ratings.
        disliked_to: ratings up to this are dislikes. unrated: ratings that say "not rated" (often 0).
        part: the part of a published split that this file is.
        item_attributes, user_attributes: columns that tell of the item or the user, not of the event.
        types: column = type of such an attribute.
    """

    user: Person | None = None
    kind: str = ""
    weight: Weight | None = None
    values: Literal["none", "rating", "count", "dwell"] | None = None
    scale: Range | None = None
    disliked_to: float | None = None
    unrated: tuple[float, ...] = ()
    part: Literal["train", "valid", "test"] | None = None
    item_attributes: tuple[str, ...] = ()
    user_attributes: tuple[str, ...] = ()
    types: dict[str, AttributeType] = {}


class SideTable(Table):
    """A file of items or users: its other columns are attributes. types: column = type of the attribute."""

    types: dict[str, AttributeType] = {}


class FriendTable(Table):
    """A file of pairs of users. directed: the first hears the second, not the other way round."""

    directed: bool | None = None


class Spec(_Strict):
    """What a ``data.toml`` may say; everything in it is optional. The keys are in the docstring of this file."""

    format: Format | None = None
    file: str | None = None
    rating_range: Range | None = None
    user: Person | None = None
    graph: tuple[str, ...] = ()
    catalogue: Literal["all", "events"] | None = None
    allow_bad: float | None = Field(None, ge=0, le=1)
    sensitive: tuple[str, ...] = ()
    allow_sensitive: tuple[str, ...] = ()
    columns: dict[Role, str] = {}
    kinds: dict[str, Weight] = {}
    ignore: Reasons = {}
    events: tuple[EventTable, ...] = ()
    items: tuple[SideTable, ...] = ()
    users: tuple[SideTable, ...] = ()
    friends: tuple[FriendTable, ...] = ()
    triples: tuple[Table, ...] = ()
    links: tuple[Table, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Spec:
        """Read and check a ``data.toml``. Raises FormatError."""
        try:
            return cls.model_validate(tomllib.loads(path.read_bytes().decode("utf-8-sig")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise FormatError(f"{path}: not valid TOML ({error})") from None
        except ValidationError as error:
            raise FormatError(f"{path}: {'; '.join(map(_fault, error.errors()))}") from None

    def tables(self) -> Iterator[tuple[Use, Table]]:
        """Every table that is named, with what it is used as."""
        for use in USES:
            for table in getattr(self, use):
                yield use, table

    def to_toml(self) -> str:
        """This reading as a ``data.toml``: what is left at its default is left out."""
        return to_toml(self.model_dump(mode="json", exclude_defaults=True))


def to_toml(document: Mapping[str, Any]) -> str:
    """A document of plain values, tables of them, and lists of such tables, as TOML."""
    lines = [f"{_key(k)} = {_value(v)}" for k, v in document.items() if not _is_section(v)]
    for key, value in document.items():
        if isinstance(value, Mapping) and value:
            lines += ["", f"[{_key(key)}]", *(f"{_key(k)} = {_value(v)}" for k, v in value.items())]
        elif _is_section(value):
            for table in value:
                lines += ["", f"[[{_key(key)}]]", *(f"{_key(k)} = {_value(v)}" for k, v in table.items())]
    return "\n".join(lines).strip("\n") + "\n"


def _is_section(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)
    )


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else _string(name)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value and "e" not in f"{value:g}" else repr(value)
    return str(value)


def nearest(name: str, known: Iterable[str]) -> str:
    """ "; did you mean X?" where something known is near, else what is known."""
    known = list(known)
    near = difflib.get_close_matches(name.lower(), known, 1) or difflib.get_close_matches(name, known, 1)
    rest = f" and {len(known) - MOST} more" if len(known) > MOST else ""
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known[:MOST])}{rest}"


def _fault(error: Any) -> str:
    """One line on one fault, with the nearest name that exists."""
    place = [p for p in error["loc"] if p != "[key]"]
    where = ".".join(map(str, place))
    if error["type"] == "extra_forbidden":
        model: Any = Spec
        for part in place[:-1]:
            if isinstance(part, str) and part in model.model_fields:
                model = _MODELS.get(part, model)
        fields = ", ".join(model.model_fields)
        near = difflib.get_close_matches(str(place[-1]), list(model.model_fields), 1)
        return f"{where}: no such setting" + (f"; did you mean {near[0]}?" if near else f"; the settings are {fields}")
    if error["type"] == "literal_error":
        names: Iterable[str] = ROLES if "columns" in place else error["ctx"]["expected"].replace("'", "").split(", ")
        names = [n for part in names for n in part.split(" or ")]
        found = str(error["input"])
        says = f"{where}: {found!r} is no {'role' if 'columns' in place else 'value of it'}; {nearest(found, names)}"
        return says + (f"; the settings are {', '.join(Spec.model_fields)}" if place == ["format"] else "")
    says = _WANTED.get(error["type"]) or error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{where}: {says}"


_WANTED: Mapping[str, str] = {  # what is said of a fault instead of pydantic's words
    "missing": "is missing",
    "tuple_type": "should be a list, [ … ] (a section of its own: [[…]])",
    "dict_type": "should be a table, { name = value }",
    "model_type": "should be a table, { name = value }",
    "model_attributes_type": "should be a table, { name = value }",
    "string_type": "should be a text in quotes",
    "float_parsing": "should be a number",
    "float_type": "should be a number",
    "int_parsing": "should be a whole number",
    "bool_parsing": "should be true or false",
    "finite_number": "should be a finite number",
    "string_pattern_mismatch": "should not be blank",
    "string_too_short": "should not be blank",
}


_MODELS: dict[str, type[BaseModel]] = {
    "events": EventTable,
    "items": SideTable,
    "users": SideTable,
    "friends": FriendTable,
    "triples": Table,
    "links": Table,
}
