"""The extractors by name, as they are chosen in the configuration."""

from __future__ import annotations

from kg.errors import KGError
from kg.types import Extractor

NAMES = ("spacy", "gliner", "transformers")


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
