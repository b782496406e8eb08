"""What a table beside the events is: items, users, friends, triples or links, by its columns and by its ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from graphrec.read import candidates, proof
from graphrec.read import columns as c
from graphrec.read.columns import SYNONYMS, Role, normal
from graphrec.read.guess import Guess, is_social, of_people, of_things
from graphrec.read.personal import holds_personal, is_personal

_WHO = frozenset(SYNONYMS["user_id"])
_WHAT = frozenset(SYNONYMS["item_id"])


def classify(table: Guess, users: pd.Index, items: pd.Index) -> None:
    """Give a table that holds no events its use and its roles, or say why it has none.

    ``users`` and ``items``: the ids of the events, as far as they were looked at.
    """
    for attempt in (_triples, _friends, _links):
        if attempt(table, users, items):
            return
    best_item = _key(table, items, _WHAT, of_things(table.path))
    best_user = _key(table, users, _WHO, of_people(table.path))
    if best_item is None and best_user is None:
        table.why_not = f"no column of users or items is known in it (found {candidates.listed(table, 8)})"
    elif best_user is None or (best_item is not None and best_item[1] >= best_user[1]):
        assert best_item is not None
        table.use, table.roles = "items", {"item_id": best_item[0]}
        read_items(table, {})
    else:
        table.use, table.roles = "users", {"user_id": best_user[0]}
        read_users(table, {})


def _key(table: Guess, known: pd.Index, names: frozenset[str], by_file: bool) -> tuple[str, float] | None:
    """The column whose values are ids of this sort, and how much speaks for it."""
    best: tuple[str, float] | None = None
    for place, column in enumerate(table.header):
        values = table.frame[column]
        if not len(proof.present(values)):
            continue
        name = normal(column)
        named = name in names
        general = name in ("id", "key", "code", "编号") or (place == 0 and name in ("", "unnamed0", "index"))
        shared = proof.overlap(proof.ids(values), known) if len(known) else 0.0
        points = (
            2.0 * named
            + 1.0 * (by_file and (general or proof.is_key(values)) and place == 0)
            + (shared if named or by_file or proof.is_key(values) else 0.0)
            + 0.5 * (by_file and general)
        )
        enough = named or (by_file and (general or shared >= 0.3)) or (shared >= 0.5 and proof.is_key(values))
        if enough and (best is None or points > best[1]):
            best = (column, points)
    return best


def _triples(table: Guess, users: pd.Index, items: pd.Index) -> bool:
    relation = c.find(table.header, SYNONYMS["relation"])
    if relation is None:
        return False
    left = [h for h in table.header if h != relation]
    head, tail = c.find(left, SYNONYMS["head"]), c.find(left, SYNONYMS["tail"])
    item, entity = c.find(left, SYNONYMS["item_id"]), c.find(left, SYNONYMS["entity"])
    if head is not None and tail is not None and head != tail:
        table.roles = {"head": head, "relation": relation, "tail": tail}
    elif item is not None and (entity or tail) is not None:
        target = entity or tail
        assert target is not None
        table.roles = {"item_id": item, "relation": relation, "entity": target}
        label = c.find([h for h in left if h not in (item, target)], SYNONYMS["entity_label"])
        if label is not None:
            table.roles["entity_label"] = label
    else:
        return False
    table.use = "triples"
    table.unused = dict.fromkeys(table.rest, "no part of a triple")
    return True


def _friends(table: Guess, users: pd.Index, items: pd.Index) -> bool:
    first = c.find(table.header, (*c.FRIEND_OF, *SYNONYMS["user_id"]))
    left = [h for h in table.header if h != first]
    second = c.find(left, SYNONYMS["friend_id"])
    if first is None or second is None:
        people = [h for h in table.header if normal(h) in _WHO or normal(h) in c.FRIEND_OF]
        if is_social(table.path) and len(table.header) in (2, 3) and len(people) != 1:
            first, second = table.header[:2]
        elif is_social(table.path) and first is not None and len(table.header) == 2:
            second = left[0]
        else:
            return False
    shared = [proof.overlap(proof.ids(table.frame[h]), users) for h in (first, second)]
    plain = normal(first) in ("source", "sourceid", "src", "from") and not is_social(table.path)
    if plain and len(users) and max(shared) < 0.1:
        return False
    table.use, table.roles = "friends", {"user_id": first, "friend_id": second}
    table.unused = dict.fromkeys(table.rest, "no use is known for it: a friendship is there or not")
    return True


def is_directed(table: Guess) -> bool:
    """Whether only the first of a row hears the second: by the columns' and the file's names."""
    names = {normal(h) for h in table.roles.values()}
    return bool(names & c.DIRECTED) or any(w in table.path.name.lower() for w in ("follow", "trust"))


def _links(table: Guess, users: pd.Index, items: pd.Index) -> bool:
    item, entity = c.find(table.header, SYNONYMS["item_id"]), c.find(table.header, SYNONYMS["entity"])
    if item is None or entity is None or item == entity or len(table.header) > 4:
        return False
    table.use, table.roles = "links", {"item_id": item, "entity": entity}
    table.unused = dict.fromkeys(table.rest, "no part of a link")
    return True


def read_items(table: Guess, given: Mapping[Role, str]) -> None:
    """Title, description, place and long form of a table of items; the other columns are attributes."""
    table.roles.update(given)
    _long_form(table)
    for role, names in (("title", c.TITLES), ("text", c.DESCRIPTIONS)):
        found = None if role in table.roles else c.find(table.rest, names)
        if found is not None and not proof.are_numbers(table.frame[found]):
            table.roles[role] = found  # type: ignore[index]
    _place(table)
    for column in table.rest:
        if not len(proof.present(table.frame[column])):
            table.unused[column] = "empty"
        elif c.is_link(column):
            table.unused[column] = "links or images"
        elif normal(column) in _WHO or _about_people(column):
            table.unused[column] = "about users"
        elif holds_personal(table.frame[column]):
            table.unused[column] = "personal"


def _about_people(column: str) -> bool:
    return any(word in normal(column) for word in ("userid", "username", "reviewer"))


def read_users(table: Guess, given: Mapping[Role, str]) -> None:
    """Friends and long form of a table of users; the other columns are attributes, those that name people unused."""
    table.roles.update(given)
    _long_form(table)
    found = c.find(table.rest, SYNONYMS["friends"])
    if "friends" not in table.roles and found is not None and not proof.are_numbers(table.frame[found]):
        table.roles["friends"] = found
    for column in table.rest:
        if not len(proof.present(table.frame[column])):
            table.unused[column] = "empty"
        elif is_personal(column) or holds_personal(table.frame[column]):
            table.unused[column] = "personal"


def _long_form(table: Guess) -> None:
    """A row for each attribute: its name in one column, its value in another."""
    key, value = c.find(table.rest, SYNONYMS["key"]), c.find(table.rest, SYNONYMS["value"])
    id_column = table.roles.get("item_id") or table.roles.get("user_id")
    if key is None or value is None or id_column is None or len(table.rest) > 3:
        return
    if proof.is_key(table.frame[id_column]) and len(table.frame) > 3:
        return
    table.roles |= {"key": key, "value": value}
    if (time := c.find(table.rest, SYNONYMS["timestamp"])) is not None:
        table.roles["timestamp"] = time


def _place(table: Guess) -> None:
    found: dict[Role, str] = {}
    roles: tuple[Role, Role] = ("latitude", "longitude")
    for role in roles:
        column = table.roles.get(role) or c.find(table.rest, SYNONYMS[role])
        if column is not None and proof.are_numbers(table.frame[column]):
            found[role] = column
    if len(found) == 2:
        table.roles.update(found)


READERS: Mapping[str, Callable[[Guess, Mapping[Role, str]], None]] = {"items": read_items, "users": read_users}
