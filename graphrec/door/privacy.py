"""Personal data in texts: e-mail addresses, phone numbers, payment card numbers and names of people are masked.

The reviewer's own name is masked where it is known, those of others in reviews by where they stand (``people.py``).
``door.check_events`` and ``dataset.build`` call this before a text is stored, embedded or quoted. What is masked stands
as "[e-mail]", "[phone]", "[card]" or "[name]", so that the text still reads well; nothing of it is kept but a count.
What nobody sees of a text goes before (``hidden.py``), also because it could keep a pattern from matching.

The patterns lean to numbers that people would call a phone number: digits in a row alone are none (they are ISBNs,
article numbers, prices), nor are dates, years and series of sizes. Card numbers pass the Luhn check (ISO/IEC 7812-1).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from graphrec.door import people
from graphrec.door.hidden import shown

MASKS = {"e-mail": "[e-mail]", "phone": "[phone]", "card": "[card]", "name": "[name]"}

# What a text must hold for any pattern to match: one quick search settles nearly all texts.
_HINT = "[@＠]|&(?:#64|#x40|commat);|[([] ?(?:at|AT) ?[)\\]]|\\d[ .()\xa0/\\d-]{5,}\\d"
_HINT_RE, _HINT_RE2 = re.compile(_HINT), _HINT.replace(r"\d", r"\p{Nd}")
_AT = r"(?:[@＠]|&(?:\#64|\#x40|commat);)"
_DOT = r"(?:\s?[(\[]\s?(?:dot|DOT)\s?[)\]]\s?|\s(?:dot|DOT)\s|\.)"
_LEFT = r"(?<![\w$€£\#@/.,+-])(?<!\d[ .(-])"  # not inside a word, a price or a longer row of numbers
_RIGHT = r"(?!\w)(?![.,/-]\w)"
_GAP = r"[ .\xa0-]"
_PATTERN = re.compile(
    rf"""
      (?P<email> (?<![\w.+%-]) [\w.+%-]++ (?: {_AT} [\w-]+ (?:\.[\w-]+)+
               | [ ]?[(\[][ ]?(?:at|AT)[ ]?[)\]][ ]? [\w-]+ (?:{_DOT}[\w-]+)+ ) )
    | (?P<card> (?<!\w) (?<!\d[.,-]) (?: [2-6]\d{{12,18}}
               | [2-6]\d{{3}}(?P<_a>[ \xa0-])\d{{4}}(?P=_a)\d{{4}}(?P=_a)\d{{4}}
               | 3\d{{3}}(?P<_b>[ \xa0-])\d{{6}}(?P=_b)\d{{4,5}} ) (?!\w) (?!-\d) )
    | {_LEFT} (?P<phone>
        (?: \+?1{_GAP}? )? (?: \([2-9]\d\d\){_GAP}? | [2-9]\d\d{_GAP} ) [2-9]\d\d{_GAP}\d{{4}}
            (?: \s?(?:x|ext\.?)\s?\d{{1,5}} )? {_RIGHT}                      # North America
      | \+[1-9]\d{{8,14}} {_RIGHT}                                           # E.164
      | \+[1-9]\d{{0,2}} (?: [ .\xa0/-]{{0,2}} \(?\d{{1,5}}\)? ){{2,6}} {_RIGHT}
      | \(?0(?: \d\d\)?[ -]\d{{4}}[ -]?\d{{4}} | \d{{3}}\)?[ -]\d{{3}}[ -]?\d{{4}} | \d{{4}}\)?[ -]\d{{3}}[ -]?\d{{3}} )
            {_RIGHT} (?![ ]\d)                                               # Britain
      )
    | \b(?i: phone | telephone | tel | fax | cell | mobile | whatsapp | call | dial )\b [^\w\n(+]{{0,3}}
        (?i: (?: number | no | nr | me | us | them | is | it | at | on | or )\b [^\w\n(+]{{1,3}} ){{0,3}}
        (?P<cued> [+(]? \d (?: [ .()\xa0-]{{0,2}} \d ){{6,14}} ) {_RIGHT}
    """,
    re.VERBOSE,
)
_SIZES = frozenset({"128", "256", "512", "1024", "2048", "4096"})
_SEPARATORS = re.compile(r"\D+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = re.compile(r"\d{4}[ .-]\d{1,2}[ .-]\d{1,2}|\d{1,2}[ .-]\d{1,2}[ .-]\d{4}")


def mask(text: str, name: str = "") -> str:
    """The text with personal data masked; the same text where it holds none. ``name`` is its writer's, "" if unknown.

    A name of two words or more is masked wherever it stands in capitals, its first word and every other name where it
    signs the text or follows "I am".
    """
    return _without_name(_mask(shown(text, Counter()), Counter()), name, Counter())


def mask_all(
    texts: Iterable[str], counts: Counter[str], names: Iterable[str] | None = None, *, reviews: bool = False
) -> list[str]:
    """``mask`` for many texts. ``counts`` is increased by how many of each kind were masked, or went unseen.

    Args:
        names: the writers', "" where unknown.
        reviews: whether people wrote them, of whom and whose family names may stand there; see ``people``.
    """
    texts = [shown(text, counts) for text in texts]
    out = [_mask(text, counts) if hint else text for text, hint in zip(texts, _hints(texts), strict=True)]
    if names is not None:
        out = [_without_name(text, name, counts) if name else text for text, name in zip(out, names, strict=True)]
    if reviews:
        out = [
            _without_people(text, counts) if hint else text for text, hint in zip(out, people.hints(out), strict=True)
        ]
    return out


def _hints(texts: list[str]) -> Iterable[bool]:
    try:
        array = pa.array(texts, pa.large_string())
        found = pc.match_substring_regex(array, pattern=_HINT_RE2)  # RE2: several times the speed of re
    except UnicodeEncodeError:  # half a surrogate pair
        return (_HINT_RE.search(text) is not None for text in texts)
    answer: Iterable[bool] = found.to_numpy(zero_copy_only=False)
    return answer


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Where e-mail addresses, phone and card numbers stand: start, end, kind."""
    if not _HINT_RE.search(text):
        return
    at = 0
    while (match := _PATTERN.search(text, at)) is not None:
        group = str(match.lastgroup)
        kind = {"email": "e-mail", "cued": "phone"}.get(group, group)
        found = match[group]
        if _ACCEPT[group](found):
            yield *match.span(group), kind
            at = match.end(group)
        else:
            at = match.start(group) + 1


def _mask(text: str, counts: Counter[str]) -> str:
    while spans := list(find(text)):  # a second look, for what stood directly behind something masked
        counts.update(kind for _, _, kind in spans)
        text = _replaced(text, spans)
    return text


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> str:
    parts, at = list[str](), 0
    for start, end, kind in spans:
        parts += [text[at:start], MASKS[kind]]
        at = end
    return "".join([*parts, text[at:]])


def _digits(found: str) -> str:
    return "".join(c for c in found if c.isdigit())


def _is_email(found: str) -> bool:
    last = re.split(r"[.\s()\[\]]+", found)[-1]
    return len(last) >= 2 and not any(c.isdigit() for c in last)


def _is_card(found: str) -> bool:
    """Luhn's sum, and no row of years; 13 digits that are a European article number are that."""
    digits = [int(c) for c in _digits(found)]
    if sum(digits[-1::-2]) % 10 != -sum(sum(divmod(2 * d, 10)) for d in digits[-2::-2]) % 10:
        return False
    if len(digits) == 13 and (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0:
        return False
    return not all(map(_YEAR.fullmatch, _SEPARATORS.split(found))) and len(set(digits)) > 1


def _is_phone(found: str) -> bool:
    groups = [g for g in _SEPARATORS.split(found) if g]
    if found[0] == "+":
        return 9 <= len(_digits(found)) <= 15 and not (len(groups) == 2 and "." in found)
    only_spaces = not set(found) - set("0123456789 \xa0")
    return not (only_spaces and (set(groups) & _SIZES or all(g.endswith("0") for g in groups)))


def _is_cued(found: str) -> bool:
    groups = [g for g in _SEPARATORS.split(found) if g]
    short = any(len(g) < 2 for g in groups[1:])
    isbn = len(_digits(found)) == 13 and _digits(found).startswith(("978", "979"))
    years = all(map(_YEAR.fullmatch, groups))
    return not (short or isbn or years or _DATE.fullmatch(found))


_ACCEPT = {"email": _is_email, "card": _is_card, "phone": _is_phone, "cued": _is_cued}

# --- names ------------------------------------------------------------------------------------------------------------

_NICKNAME = re.compile(r'["(](.*)')
_ARTICLES = frozenset(("a", "an", "the", "this", "that", "my", "your", "just"))
_ANYBODY = frozenset(("amazon", "customer", "reviewer", "user", "anonymous", "kindle", "shopper", "buyer", "guest"))
_CLOSING = (
    r"(?:[-–—~*.!?,\n)]|\b(?:thanks|thank\s+you|regards|cheers|sincerely|yours|peace|signed|best|love|by))\W{0,4}"
)
_TAIL = 80  # characters at the end of a text in which a signature is looked for


def _without_people(text: str, counts: Counter[str]) -> str:
    spans = [(start, end, "name") for start, end in people.names(text)]
    counts.update(kind for _, _, kind in spans)
    return _replaced(text, spans)


def _without_name(text: str, name: str, counts: Counter[str]) -> str:
    full, signatures = _forms(name)
    tail = text[-_TAIL:].casefold()
    patterns = []
    if full and full[-1].casefold() in text.casefold():
        patterns.append(r"(?<!\w)(?P<full>" + r"\s+".join(f"(?i:{re.escape(word)})" for word in full) + r")(?!\w)")
    if near := [s for s in signatures if s.casefold() in tail]:
        patterns.append(rf"(?i:{_CLOSING}(?P<signed>{'|'.join(map(re.escape, near))})(?!\w)\W{{0,8}}\Z)")
    if own := [s for s in signatures if s[0].isupper() and s in text]:
        patterns.append(rf"\b(?:I['’]m|I am|[Mm]y name is)\s+(?P<own>{'|'.join(map(re.escape, own))})(?!\w)")
    if not patterns:
        return text
    found = ((m, str(m.lastgroup)) for m in re.finditer("|".join(patterns), text))
    spans = [(*m.span(group), "name") for m, group in found if group != "full" or _in_capitals(m[group])]
    counts.update(kind for _, _, kind in spans)
    return _replaced(text, spans)


@lru_cache(maxsize=1 << 16)
def _forms(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a full name, () where there is none, and what its bearer may sign with, the longest first.

    "Ann Lee "annie"" gives (Ann, Lee) and "Ann Lee", "annie", "Ann"; "Amazon Customer" and "The Count" are no names.
    """
    nickname = _NICKNAME.search(name)
    words = tuple(_NICKNAME.sub("", name).split())
    bare = [w.strip(".,;:!'").casefold() for w in words]
    if _ANYBODY & set(bare):
        words, bare = (), []
    signatures = {" ".join(words), words[0] if words else "", nickname[1].strip('"().… ') if nickname else ""}
    signatures = {s for s in signatures if len(s) > 2 and s.casefold() not in _ARTICLES | _ANYBODY}
    is_full = len(words) > 1 and bare[0] not in _ARTICLES
    return words if is_full else (), tuple(sorted(signatures, key=lambda s: (-len(s), s)))


def _in_capitals(found: str) -> bool:
    """Whether no word begins with a small letter: "Bass Player" may be a name, "bass player" is none."""
    return not any(word[0].islower() for word in found.split())
