"""What speaks most against an item is named."""

from __future__ import annotations

from graphrec.profile.profiles import Profiles
from tests.explain.test_paths import explain
from tests.explain.test_words import popularity
from tests.explain.world import counted, world


def test_what_speaks_against_an_item_is_named() -> None:
    """A block as a whole that takes away more than all else, much of what the history adds, and has words."""
    profiles = counted(world(), {"strings": 4.0, "tuner": 1.0})
    for strength, named in ((-4.0, True), (-9.0, True), (-0.1, False), (1.0, False)):
        both = Profiles((*profiles.blocks, popularity(strength)))
        assert ("What speaks most against it is popularity." in explain("ann", "capo", profiles=both).text) is named
