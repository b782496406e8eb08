"""Names of people in a review by where they stand: under it, in a greeting, after "my wife" or "my name is".

A list of given names would take Taylor guitars and Miles Davis for people to be hidden, and NER is too slow here. So a
name counts only in a place where hardly anything else stands, in English, German, French and Spanish:

    signed      "Cheers, Anna", "Viele Grüße Max", "Thank you. Rich B.", "Great. - John", at the very end, or in a line
                of its own
    greeting    "Dear Peter,", "Bonjour Anne,", at the very beginning
    relation    "my wife Anna", "mein Sohn Ben ist …", "mon ami Luc", "mi hija Ana"
    own         "my name is Anna", "ich heiße Max", "je m'appelle Luc", "me llamo Ana"

Who signs or is greeted is not in the text a second time: a maker is praised and then thanked, a person signs once. It
leans to what is sure: names elsewhere, of one letter, in capitals or in small letters stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

END = 120  # characters at the end of a text, and at the beginning, in which a signature or a greeting is looked for

_WORD = r"[^\W\d_]+(?:['’-][^\W\d_]+)*"
_NAME = rf"(?P<name>{_WORD}\.?(?:[ ]{_WORD}\.?){{0,2}})"
_SHORT = rf"(?P<name>{_WORD}(?:[ ]{_WORD})?)"
_THANKS = r"thanks|thank\ you|thx|danke|vielen\ dank|merci|gracias|muchas\ gracias|cheers|tschüss"
_REGARDS = (
    r"regards|sincerely|yours\ truly|best\ wishes|grüße|grüsse|gruß|gruss|grüßen|grüssen"
    r"|cordialement|amicalement|bien\ à\ vous|saludos|un\ saludo|atentamente"
)
# A comma, a dash or a line must follow these: "now it is yours Amazon" is no signature.
_SET_OFF = r"yours|signed|all\ the\ best|love|peace"
_SHORT_FOR = r"lg|vg|mfg"  # a sentence must end before it: "my LG Gram" is none either
_SIGNED = (
    re.compile(rf"(?<!\w)(?i:{_SET_OFF})[ ]?[,\n~–—-][\s~–—-]*{_NAME}(?P<end>[^\w!?]{{0,4}})\Z", re.VERBOSE),
    re.compile(rf"[.!?\n]\s{{0,4}}(?i:{_SHORT_FOR})[ ,\n]{{1,3}}{_NAME}(?P<end>[^\w!?]{{0,4}})\Z", re.VERBOSE),
    re.compile(rf"(?<!\w)(?i:{_THANKS})[ ]?[,.\n~–—-][\s~–—-]*{_NAME}(?P<end>[^\w!?]{{0,4}})\Z", re.VERBOSE),
    re.compile(rf"(?<!\w)(?i:{_REGARDS})[\s,.!~–—-]+{_NAME}(?P<end>[^\w!?]{{0,4}})\Z", re.VERBOSE),
    re.compile(rf"[.!?…)][ ]{{0,2}}\n\s{{0,4}}{_SHORT}(?P<end>[^\w!?.]{{0,4}})\Z", re.VERBOSE),
    re.compile(rf"(?:[.!?…][ ]{{0,2}}|\n\s{{0,4}})[~–—-]{{1,2}}[ ]?{_NAME}(?P<end>[^\w!?]{{0,4}})\Z", re.VERBOSE),
)
_GREETS = r"dear|hi|hello|lieber|liebe|hallo|cher|chère|bonjour|salut|querid[oa]|estimad[oa]|hola"
_GREETING = re.compile(
    rf"\A\W{{0,4}}(?i:{_GREETS})[ ]{_SHORT}(?:[,:]|[ ]?[\n–—])",
    re.VERBOSE,
)
_KIN = (
    r"wife|husband|son|daughter|brother|sister|mother|father|mom|mum|dad|friend|buddy|girlfriend|boyfriend|fiancée?"
    r"|cousin|nephew|niece|grandson|granddaughter|uncle|aunt|neighbou?r|roommate|grandma|grandpa"
)
_KIN_DE = r"Frau|Mann|Sohn|Tochter|Bruder|Schwester|Freund|Freundin|Mutter|Vater|Tante|Onkel|Enkel|Enkelin|Nachbarin"
_KIN_FR = r"femme|mari|fils|fille|frère|sœur|soeur|amie?|mère|père|copain|copine|cousine?|oncle|tante|voisine?"
_KIN_ES = r"espos[oa]|marido|mujer|hij[oa]|herman[oa]|amig[oa]|madre|padre|novi[oa]|prim[oa]|abuel[oa]|vecin[oa]"
_SAYS_DE = r"ist|war|hat\ es|liebt|findet|spielt|benutzt|nutzt|mag|trägt|und\ ich|und\ mir"
_WITHIN = re.compile(
    rf"""
      \b(?:[Mm]y|[Oo]ur)[ ] (?:[a-z0-9-]+[ ]){{0,3}} (?:{_KIN}) (?:,[ ]|[ ]) {_SHORT}
    | \b[Mm]eine?[ ] (?:[a-zäöüß]+[ ])? (?:{_KIN_DE}) [ ] (?:namens[ ])? (?P<de>{_WORD}) (?=[ ](?:{_SAYS_DE})\b|[ ]\(\d)
    | \b(?:[Mm]on|[Mm]a|[Nn]otre)[ ] (?:{_KIN_FR}) (?:,[ ]|[ ]) (?P<fr>{_WORD}(?:[ ]{_WORD})?)
    | \b(?:[Mm]i|[Nn]uestr[oa])[ ] (?:{_KIN_ES}) (?:,[ ]|[ ]) (?P<es>{_WORD}(?:[ ]{_WORD})?)
    | \b(?:[Mm]y[ ]name(?:[ ]is|['’]s)|[Ii]ch[ ]hei(?:ß|ss)e|[Mm]ein[ ]Name[ ]ist|[Jj]e[ ]m['’]appelle|[Mm]e[ ]llamo
      |[Mm]i[ ]nombre[ ]es)[ ] (?P<own>{_WORD}(?:[ ]{_WORD})?)
    """,
    re.VERBOSE,
)
_GIVEN = re.compile(r"\b(?:bought|buy|buying|got|get|getting|gave|give|giving|sent|ordered|made)(?: for)? \Z")
_A_THING = re.compile(r" (?:an?|the|this|that|these|one|it|his|her|some)\b|[^\w ]|\Z")

# What a text must hold for any of it to match, in the syntax of RE2: quick searches that settle nearly all texts.
_HINT_FIRST = rf"\A[^\pL]{{0,4}}(?i:{_GREETS}) "
_HINT_LAST = rf"(?i:{_THANKS}|{_REGARDS}|{_SET_OFF}|{_SHORT_FOR})|[.!?…)\n]\s{{0,4}}[~–—\n-]".replace(r"\ ", " ")
_HINT_WITHIN = (
    rf"(?:[Mm]y|[Oo]ur) (?:[a-z0-9-]+ ){{0,3}}(?:{_KIN}),? \p{{Lu}}|[Mm]eine? (?:[a-zäöüß]+ )?(?:{_KIN_DE}) "
    rf"|(?:[Mm]on|[Mm]a|[Nn]otre) (?:{_KIN_FR}),? \p{{Lu}}|(?:[Mm]i|[Nn]uestr[oa]) (?:{_KIN_ES}),? \p{{Lu}}"
    r"|[Mm]y name|[Ii]ch hei|[Mm]ein Name|[Jj]e m['’]appelle|[Mm]e llamo|[Mm]i nombre"
)

_OTHER_WORDS = """
a absolute again al all alle alles also always amazon an and any anyone at awesome bei best better bottom but buy
buyer buyers cheers christmas comment comments community conclusion cons cooking customer customers danke das daumen
december der die dolly du ebay edit el ella empfehlung en end enjoy enough everybody everyone excelente excellent
fazit february fellow five for four freunde friday friend friends from god good got gracias great guitarists gut
guys had happy has hase he her here hi highly his i ich if in interessenten is it its january july just
kaufempfehlung kitty klare klasse kunde kunden käufer la le les leser leute likes line lord los love loves madam
march merci monday much musicians musikfreunde my never nice no not november now october of oh ok okay on one only
other our out overall parfait people perfect players playing programm pros prudence rating reader readers reading
really recomendado recommandé recommended regards respectfully rock sanctum saturday says sehr seller sellers
september she shoppers sie sincerely sir so some someone star stars still summary sunday super support team thank
thanks that the them then there they this those three thursday to todos top tous tout tuesday two u update us uses
verdict verkäufer very wants was we wednesday well what when which who with world ya yes you your zusammen
"""
_NO_NAMES = frozenset(_OTHER_WORDS.split())


def hints(texts: list[str]) -> Iterable[bool]:
    """Of each text whether it may hold a name; where this is false, ``names`` finds none."""
    try:
        whole = pa.array(texts, pa.large_string())
        ends = pa.array([text.rstrip()[-END:] for text in texts], pa.large_string())
    except UnicodeEncodeError:  # half a surrogate pair
        return [True] * len(texts)
    searched = ((whole, _HINT_FIRST), (whole, _HINT_WITHIN), (ends, _HINT_LAST))
    found = [pc.match_substring_regex(part, pattern=hint).to_numpy(zero_copy_only=False) for part, hint in searched]
    answer: Iterable[bool] = np.any(found, axis=0)
    return answer


def names(text: str) -> Iterator[tuple[int, int]]:
    """Where names stand, by start and end, in order and apart."""
    at = 0
    for start, end in sorted({*_of_greeting(text), *_within(text), *_signed(text)}):
        if start >= at:
            yield start, end
            at = end


def _signed(text: str) -> Iterator[tuple[int, int]]:
    first = max(len(text.rstrip()) - END, 0)
    tail = text[first:].rstrip()
    for pattern in _SIGNED:
        found = pattern.search(tail)
        if found is None or (pattern is _SIGNED[-1] and _is_list(text)):
            continue
        start, end = found.span("name")
        if _is_name(found["name"], initials=True) and not _again(found["name"], text[: first + start]):
            yield first + start, first + end
            return


def _of_greeting(text: str) -> Iterator[tuple[int, int]]:
    found = _GREETING.search(text[:END])
    if found and _is_name(found["name"]) and not _again(found["name"], text[found.end() :]):
        yield found.span("name")


def _within(text: str) -> Iterator[tuple[int, int]]:
    for found in _WITHIN.finditer(text):
        group = next(g for g in ("name", "de", "fr", "es", "own") if found[g])
        start, end = found.span(group)
        words = found[group].split()
        if len(words) == 2 and not _is_name(words[1]):
            end, words = start + len(words[0]), words[:1]
        if not _is_name(" ".join(words)):
            continue
        given = group == "name" and _GIVEN.search(text[max(found.start() - 20, 0) : found.start()])
        if given and not _A_THING.match(text, end):
            continue  # "bought my son Guitar Hero" is what was bought
        yield start, end


def _is_name(found: str, *, initials: bool = False) -> bool:
    """Whether words are written as a name is: a capital, then small letters; of the later ones, an initial will do."""
    for n, word in enumerate(found.split()):
        bare = word.rstrip(".")
        parts = re.split(r"['’-]", bare)
        if initials and n and len(bare) == 1 and bare.isupper():
            continue
        written = len(bare) > 1 and all(p[:1].isupper() and p[1:] == p[1:].lower() for p in parts if len(p) > 1)
        if not written or parts[-1] == "s" or bare.casefold() in _NO_NAMES:
            return False
    return True


def _again(found: str, text: str) -> bool:
    """Whether a word of a name is elsewhere in the text too."""
    return any(
        re.search(rf"(?<!\w){re.escape(word.rstrip('.'))}(?!\w)", text) for word in found.split() if len(word) > 2
    )


def _is_list(text: str) -> bool:
    return len(re.findall(r"^[ \t]*[-–—~]", text, re.MULTILINE)) > 1
