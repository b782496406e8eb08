"""What one table is, and what its columns are: by their names, and by what their values prove."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from graphrec.read import columns as c
from graphrec.read import kind_words, proof
from graphrec.read.columns import ROLES_OF_VALUES, SYNONYMS, Role, normal
from graphrec.read.forms import Form
from graphrec.read.personal import holds_personal, is_personal
from graphrec.read.source import stem
from graphrec.read.spec import Use

NO_TIMES = "cannot be read as times; say how they are written (date_format, or unit) in data.toml"
NO_RATINGS = "is named as ratings are, but most of its values are no numbers"
PATH = "where somebody came from; what leads to what is learned from the order of events"
UNDONE = "rows that came to nothing count as all others do"
_SURE_RATING = frozenset(SYNONYMS["rating"]) - {"points", "grade", "rate", "rank5", "note", "vote"}
_SURE_TEXT = re.compile(r"review|text|comment|评论|rezension|kommentar|レビュー")
_SOME_ID = re.compile(r"(id|nr|no|code|sku|key|编号)$")
_PRICE = re.compile(r"price|preis|revenue|total|betrag|金额|价格|amount|cost|discount|tax")
_PERSON = re.compile(
    r"user|customer|member|person|people|client|buyer|kund|nutzer|benutzer|profile|reader|用户|会员|顾客|客户"
)
_THING = re.compile(
    r"item|product|movie|film|book|song|track|artist|album|article|business|place|poi|venue|news|game|recipe|video|course|"
    r"hotel|restaurant|catalog|meta|sku|goods|artikel|produkt|katalog|ware|商品|产品|物品|书"
)
_SOCIAL = re.compile(
    r"friend|follow|trust|social|network|contact|edges|freund|amig[oa]s?$|amis$|amici|seguidor|好友|朋友|关注"
)
_PIECES = (  # counts that may be below 0, where something was given back
    *("quantity", "qty", "quantityordered", "orderquantity", "lineitemquantity", "units", "pieces", "menge", "anzahl"),
    *("stück", "stückzahl", "cantidad", "quantité", "quantite", "数量", "购买数量", "件数"),
)


@dataclass
class Guess:
    """One table as it was understood.

    ``frame`` is a sample of strings. ``user``: whose events they are, if no column says it. ``roles``: role → column.
    ``unused``: column → why. ``of_items``, ``of_users``: columns of a table of events that tell of items or users.
    """

    path: Path
    form: Form
    frame: pd.DataFrame
    use: Use | None = None
    user: str = ""
    roles: dict[Role, str] = field(default_factory=dict)
    unused: dict[str, str] = field(default_factory=dict)
    of_items: list[str] = field(default_factory=list)
    of_users: list[str] = field(default_factory=list)
    kind: str = ""
    values: str = "none"
    why_not: str = ""
    lists: set[str] = field(default_factory=set)

    @property
    def header(self) -> list[str]:
        return [str(x) for x in self.frame.columns]

    @property
    def rest(self) -> list[str]:
        """The columns that have neither a role nor a reason."""
        done = {*self.roles.values(), *self.unused, *self.of_items, *self.of_users}
        return [x for x in self.header if x not in done]

    def ids(self, role: Role) -> pd.Index:
        """The distinct ids of the sample in a role's column."""
        if role == "user_id" and self.user:
            return pd.Index([self.user], dtype=object)
        return proof.ids(self.frame[self.roles[role]]) if role in self.roles else pd.Index([])


def is_price(column: str) -> bool:
    """Whether a column's name speaks of money."""
    return _PRICE.search(normal(column)) is not None


def of_people(path: Path) -> bool:
    """Whether a file's name speaks of people."""
    return _PERSON.search(stem(path).lower()) is not None


def of_things(path: Path) -> bool:
    """Whether a file's name speaks of items."""
    return _THING.search(stem(path).lower()) is not None


def is_social(path: Path) -> bool:
    """Whether a file's name speaks of friends."""
    return _SOCIAL.search(stem(path).lower()) is not None


def ids_of_events(table: Guess, given: Mapping[Role, str]) -> bool:
    """Find the columns of users and items of a table of events; False where it has none."""
    free = [
        h for h in table.header if h not in given.values() and (table.frame.empty or len(proof.present(table.frame[h])))
    ]
    table.roles.update(given)
    wanted: tuple[Role, ...] = ("item_id",) if table.user else ("item_id", "user_id")
    for role in wanted:
        if role not in table.roles and (found := c.find(free, SYNONYMS[role])) is not None:
            table.roles[role] = found
            free.remove(found)
    missing = [r for r in wanted if r not in table.roles]
    if len(missing) == 1 and not of_people(table.path) and not of_things(table.path):
        others = {n for r in SYNONYMS for n in SYNONYMS[r] if r not in ("user_id", "item_id")}
        left = [
            h
            for h in free
            if _SOME_ID.search(normal(h))
            and not c.ROW_IDS.search(normal(h))
            and not is_personal(h)
            and normal(h) not in others
        ]
        left = [h for h in left if not proof.is_key(table.frame[h])]
        if len(left) == 1:
            table.roles[missing[0]] = left[0]
    return all(role in table.roles for role in wanted)


def read_events(table: Guess, given: Mapping[Role, str]) -> None:
    """Fill in the roles of a table of events whose users and items are known."""
    table.use = "events"
    frame, roles = table.frame, table.roles

    def take(role: Role, names: Iterable[str], fits: object) -> None:
        if role in given or role in roles:
            return
        known = c.by_normal(h for h in table.rest)
        for name in names:
            if name in known and callable(fits) and fits(frame[known[name]]):
                roles[role] = known[name]
                return

    def text(values: pd.Series) -> bool:
        sure = _SURE_TEXT.search(normal(str(values.name))) is not None
        return not proof.are_numbers(values) if sure and len(proof.present(values)) else proof.are_texts(values)

    take("rating", SYNONYMS["rating"], proof.are_ratings)
    take("kind", SYNONYMS["kind"], proof.are_kinds)
    take("kind", ("eventtype", "feedbacktype", "behaviortype", "actiontype", "行为", "行为类型"), _is_code)
    take("label", SYNONYMS["label"], proof.are_flags)
    take("timestamp", SYNONYMS["timestamp"], proof.are_times)
    if "rating" not in roles:
        names = (*SYNONYMS["count"], *SYNONYMS["rating"])
        take("count", _PIECES, lambda v: proof.are_numbers(v) and _is_whole(v))
        take("count", names, lambda v: proof.are_numbers(v) and (proof.numbers(v).dropna() >= 0).mean() > 0.9)
        take("dwell", SYNONYMS["dwell"], lambda v: _is_dwell(v, frame[roles["item_id"]]))
    if "timestamp" not in roles:
        named = [h for h in table.rest if c.is_time_name(h) and proof.are_times(frame[h])]
        dates = [
            h
            for h in table.rest
            if proof.are_dates(frame[h]) and proof.depends_on(frame[h], frame[roles["item_id"]]) is not True
        ]
        if left := named or (dates if len(dates) == 1 else []):
            roles["timestamp"] = left[0]
    if "timestamp" in roles and proof.are_days(frame[roles["timestamp"]]):
        take("time_of_day", [normal(h) for h in table.rest], proof.are_times_of_day)
    take("text", SYNONYMS["text"], text)
    take("summary", SYNONYMS["summary"], text)
    item = frame[roles["item_id"]]
    if "text" in roles:
        take("summary", ("title", "headline", "标题"), lambda v: proof.depends_on(v, item) is not True)
        take("reviewer_name", SYNONYMS["reviewer_name"], lambda v: not proof.are_numbers(v))
    take("title", [n for n in c.TITLES if n not in ("title", "name")], lambda v: proof.depends_on(v, item) is not False)
    take("title", ("title", "name"), lambda v: proof.depends_on(v, item) in (True, None if table.user else True))
    take(
        "title", [normal(h) for h in table.rest], lambda v: proof.are_names_of(v, item) and not is_personal(str(v.name))
    )
    for one, other in (("latitude", "longitude"), ("longitude", "latitude")):
        take(one, SYNONYMS[one], proof.are_numbers)  # type: ignore[index, arg-type]
        if other in given and one not in roles:
            break
    if ("latitude" in roles) != ("longitude" in roles):
        roles.pop("latitude", None), roles.pop("longitude", None)
    _values(table)
    _others(table)
    table.kind = kind_of(table)


def _is_code(values: pd.Series) -> bool:
    return 0 < proof.present(values).nunique() <= 20


def _values(table: Guess) -> None:
    """What the column of ratings or counts holds, by its name and its values."""
    roles = table.roles
    if "rating" in roles:
        named_count = normal(roles["rating"]) in SYNONYMS["count"]
        ratings = proof.are_ratings(table.frame[roles["rating"]]) and not named_count
        table.values = "rating" if ratings or not _whole(table.frame[roles["rating"]]) else "count"
    elif "count" in roles or "dwell" in roles:
        table.values = "count" if "count" in roles else "dwell"


def _is_whole(values: pd.Series) -> bool:
    found = proof.numbers(values).dropna()
    return bool((found == found.round()).all() and (found > 0).any())


def _is_dwell(values: pd.Series, item: pd.Series) -> bool:
    """Times that differ from event to event: how long a film is is of the film."""
    return proof.are_numbers(values) and bool((proof.numbers(values).dropna() >= 0).all()) and not _of(values, item)


def _of(values: pd.Series, ids: pd.Series) -> bool:
    return bool(_telling(values) and proof.depends_on(values, ids))


def _whole(values: pd.Series) -> bool:
    found = proof.numbers(values).dropna()
    return bool((found == found.round()).all() and (found >= 0).all())


def _others(table: Guess) -> None:
    """A reason, or an owner, for every column of a table of events that has no role."""
    frame, roles = table.frame, table.roles
    item = frame[roles["item_id"]]
    user = frame[roles["user_id"]] if "user_id" in roles else pd.Series(table.user, index=frame.index)
    for column in list(table.rest):
        name, values = normal(column), frame[column]
        if c.ROW_IDS.search(name):
            table.unused[column] = "identifies rows"
        elif not len(proof.present(values)):
            table.unused[column] = "empty"
        elif c.is_link(column):
            table.unused[column] = "links or images"
        elif name in SYNONYMS["user_id"] or name in SYNONYMS["item_id"]:
            role: Role = "user_id" if name in SYNONYMS["user_id"] else "item_id"
            table.unused[column] = f"another id; {roles.get(role, table.user)!r} is the {role}"
        elif (is_personal(column) and not proof.depends_on(values, item)) or holds_personal(values):
            table.unused[column] = "personal"
        elif name in SYNONYMS["timestamp"] or (c.is_time_name(column) and proof.are_times(values)):
            table.unused[column] = (
                f"another time; {roles['timestamp']!r} is the time of the event" if "timestamp" in roles else NO_TIMES
            )
        elif name in _SURE_RATING and "rating" not in roles and not proof.are_numbers(values):
            table.unused[column] = f"{NO_RATINGS} (found {proof.present(values).iloc[0]!r}); write them as numbers"
        elif len(gone := kind_words.undone(proof.present(values).unique()[:50])):
            said = ", ".join(f'"{w}" = 0' for w in gone)
            how = f'say kind = "{column}" under columns in data.toml, and kinds = {{ {said} }}'
            table.unused[column] = f"{UNDONE}; to leave them out, {how}"
        elif proof.present(values).nunique() == 1 and _THING.match(column.lower()):
            table.of_items.append(column)
        elif proof.present(values).nunique() == 1:
            table.unused[column] = "the same in every row"
        elif _telling(values) and proof.depends_on(values, item):
            table.of_items.append(column)
        elif _telling(values) and proof.depends_on(values, user):
            table.of_users.append(column)
        elif name in c.CAME_FROM:
            table.unused[column] = PATH
        elif _PRICE.search(name):
            table.unused[column] = "a price of the event: no part of its strength"
        elif table.values != "none" and name in (*SYNONYMS["count"], *SYNONYMS["dwell"]):
            has: Role = next(r for r in ROLES_OF_VALUES if r in roles)
            table.unused[column] = f"the {has} {roles[has]!r} says more"
        else:
            table.unused[column] = "varies from event to event, and no use is known for it"


def _telling(values: pd.Series) -> bool:
    """No one value stands in more than four of five rows: a column that hardly varies depends on everything."""
    return float(values.value_counts(normalize=True).iloc[0]) <= 0.8


def kind_of(table: Guess) -> str:
    """What one event of a table is called: by the file's name, then by its columns."""
    words = re.split(r"[\W_\d]+", stem(table.path).lower())
    for word in reversed(words):
        if word in kind_words.OF_FILE:
            return kind_words.OF_FILE[word]
    names = {normal(h) for h in table.header}
    joined = " ".join(names)
    if table.values == "rating":
        return "review" if "text" in table.roles else "rating"
    if "text" in table.roles:
        return "review"
    if "order" in joined or "quantity" in joined or "qty" in joined or "bestell" in joined:
        return "order"
    if "purchase" in joined or "transaction" in joined or "tdat" in names:
        return "purchase"
    if "play" in joined or "listen" in joined:
        return "play"
    whole = stem(table.path).lower()
    return whole if kind_words.weight(whole) is not None else "interaction"
