"""People who are erased: whom a model knows no more, and which models were learned with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from graphrec.errors import DataError
from graphrec.serve.journal import Heard, Journal
from graphrec.serve.version import Shown, Version
from graphrec.serve.versions import Versions

READ = 1000  # events that are read from the store at once


class Erasures(Versions):
    """The part of ``State`` that is about people who are erased."""

    journal: Journal
    shown: Shown
    head: int

    def is_gone(self, user_id: str | None, learned: int | None = None) -> bool:
        """Whether somebody is forgotten by a model: who came back, and of whom it learned since, is not.

        ``learned``: up to which event it did; by default the one that answers.
        """
        if user_id is None or not self.shown.gone:
            return False
        number = self.shown.gone.get(self.journal.digest(user_id), -1)
        return number > (self.current.learned if learned is None else learned)

    @property
    def answering(self) -> list[Version]:
        """The models that may answer: the current one, the one on trial, the one to go back to."""
        found = (self.current, self.trial and self.trial.version, self.previous)
        return list({id(v): v for v in found if v is not None}.values())

    @property
    def pending(self) -> int:
        """How many people are erased whom a model that may answer was learned with."""
        return len(frozenset[str]().union(*(v.held for v in self.answering)))

    def _forget(self, versions: Sequence[Version], erased: Mapping[str, int]) -> None:
        """Take people, digest → number of the erasure, out of what models heard."""
        digest = self.journal.digest
        for version in versions:
            version.lists.clear()
            version.live.forget(lambda name: digest(name) in erased)
            version.hold({who for who, number in erased.items() if number > version.learned}, digest)
        for event in self._between(min(erased.values())):
            if event.sequence > erased.get(digest(event.user_id), event.sequence):
                hear(versions, event)

    def _drop(self, version: Version) -> None:
        """Keep no model that was learned with people who are erased and whom this one does not know."""
        for name in [name for name, kept in self._kept.items() if kept.held - version.held]:
            del self._kept[name]
        if self.previous is not None and self.previous.held - version.held:
            self.previous = None

    def _between(self, after: int, head: int | None = None) -> Iterator[Heard]:
        head = self.head if head is None else head
        while after < head and (events := self.journal.since(after, READ)):
            yield from (event for event in events if event.sequence <= head)
            after = events[-1].sequence


def hear(versions: Sequence[Version], event: Heard) -> None:
    """Tell models of an event, those that have not learned from it."""
    for version in versions:
        if event.sequence > version.learned:
            with suppress(DataError):  # what this model cannot read; the store has it
                version.live.hear(event.user_id, event.item_id, **event.said)
