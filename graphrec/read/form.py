"""How a file is written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Container: TypeAlias = Literal["delimited", "jsonl", "json", "parquet"]


@dataclass(frozen=True)
class Form:
    """How one table is written down.

    Args:
        container: rows of fields, one JSON object a line, one JSON document, or Parquet. The rest is of the first.
        encoding: a Python codec name. sep: one or more characters; "" is any run of blanks.
        names: the columns of a file without a header; () where the first line after ``skip`` names them.
        quoted: fields may stand in double quotes. skip: lines before the header ("sep=;").
        why: how it was found out, for people ("UTF-16 by its byte order mark").
    """

    container: Container = "delimited"
    encoding: str = "utf-8"
    sep: str = ","
    names: tuple[str, ...] = ()
    quoted: bool = True
    skip: int = 0
    why: str = ""
