"""Every error graphrec raises on purpose. Each message says what was found, where, and what would fix it.

::

    GraphrecError
    ├── DataError                a source cannot be used as it is
    │   ├── FormatError          its format is unknown, or two formats match
    │   └── EmptyDataError       no usable row is left
    ├── ConfigError              a setting does not exist or has an impossible value
    ├── UnknownIdError           a user or item id that the data does not hold (also a KeyError)
    ├── NotFittedError           recommend, explain or save before fit
    ├── MissingModelError        a text encoder or language model is not installed, or fails its checksum
    │   └── OtherEncoderError    the text encoder at hand is not that of the model
    ├── ArtifactError            a saved model cannot be used
    │   ├── CorruptArtifactError a file is missing, truncated or altered
    │   └── SchemaVersionError   written by an incompatible version
    ├── ProcessError             another process of a run of several is gone
    ├── StoreError               the store of events cannot be opened, read or written
    └── kg.errors.KGError        a knowledge graph cannot be built, read, queried or stored as asked
"""

from __future__ import annotations

from kg.errors import GraphrecError as GraphrecError  # kg knows nothing of graphrec, so the base is there


class DataError(GraphrecError):
    """A source cannot be used as it is."""


class FormatError(DataError):
    """The format of a source is unknown or ambiguous."""


class EmptyDataError(DataError):
    """No usable row is left after validation."""


class ConfigError(GraphrecError):
    """A setting does not exist or has an impossible value."""


class UnknownIdError(GraphrecError, KeyError):
    """An external id that the vocabulary does not hold."""

    def __str__(self) -> str:  # KeyError would print the repr of the message
        return str(self.args[0])


class NotFittedError(GraphrecError):
    """A model was used before it was fitted."""


class MissingModelError(GraphrecError):
    """A text encoder or language model is not installed, or its weights fail their checksum."""


class OtherEncoderError(MissingModelError):
    """A free-text query needs the text encoder that the model was fitted with, and another one is configured."""


class ArtifactError(GraphrecError):
    """A saved model cannot be used."""


class CorruptArtifactError(ArtifactError):
    """A file of a saved model is missing, truncated or altered."""


class SchemaVersionError(ArtifactError):
    """A saved model was written by an incompatible version of graphrec."""


class ProcessError(GraphrecError):
    """Of several processes that fit one model together another one is gone."""


class StoreError(GraphrecError):
    """The store of events cannot be opened, read or written. ``code``: of the database, such as SQLITE_FULL."""

    code: str = ""
