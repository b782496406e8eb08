"""Template sentences rewritten by a language model on this machine, and kept only where nothing was added.

A model may say things more nicely. It may not say anything else, so its text passes only if

- every word of it is in the template or is one of ``ALLOWED``, words that name nothing;
- every number, and every passage in quotation marks, is in the template verbatim;
- what was quoted, praised, criticised, denied or restricted comes in the template's order, all of it.

Otherwise the template stays. The check compares words, so it cannot notice every twist of grammar; it rules out new
names, figures, quotes and opinions, and an opinion that changes sides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphrec.errors import MissingModelError
from graphrec.explain.phrases import plain
from kg.polarity import opinion

Writer = Callable[[str], str]

_NAMING_NOTHING = """
a about above again all along also although an and another any are as at be because been both by can comes does each
either especially even for from given goes had has have how however i if in into is it item its itself just know known
like made make makes mainly may might more most much of on one or other our out over own part people pick reason
recommend recommendation recommended said same say says score see seem seems shown similar since so some something
suggest suggested suggestion suits than that the their them then there these they this those to together too took take
taken us was we well were what when where which while who whom why will with would you your yours
"""
_TURNING = """
not no nobody nothing none never without but though although however critical criticise criticised criticises praise
praised praises mention mentions mentioned mostly partly less
"""
ALLOWED, GUARDED = frozenset(_NAMING_NOTHING.split()), frozenset(_TURNING.split())
PROMPT = (
    "Rewrite the following text as one or two friendly sentences. Keep every name and every quotation exactly as it "
    "is, in the same order. Add nothing: no name, no number, no opinion.\n\nText: {text}\n\nRewritten:"
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+(?:[.,]\d+)*")
_QUOTED = re.compile(r'"[^"]*"')
MAX_NEW_TOKENS = 200


def rewritten(template: str, write: Writer) -> str:
    """What ``write`` makes of the template where that adds nothing to it, else the template."""
    candidate = plain(write(template)).strip()
    return candidate if adds_nothing(candidate, template) else template


def adds_nothing(candidate: str, template: str) -> bool:
    """Whether a text says nothing that the template does not; see the head of this file."""
    known, found = _words(template), _words(candidate)
    if not found:
        return False
    added = [word for word, count in (Counter(found) - Counter(known)).items() if count]
    if any(word[0].isdigit() or word not in ALLOWED | set(known) for word in added):
        return False
    if any(opinion(word) and word not in ALLOWED for word in added):
        return False
    passages = _QUOTED.findall(candidate)
    return all(passage in template for passage in passages) and _guarded(candidate) == _guarded(template)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _guarded(text: str) -> list[str]:
    """What must stay and keep its order: quoted passages, and words that turn or limit what is said."""
    parts = re.findall(rf"{_QUOTED.pattern}|{_WORD.pattern}", text)
    return [p if p[0] == '"' else p.lower() for p in parts if p[0] == '"' or p.lower() in GUARDED]


class LocalWriter:
    """A causal language model in a folder of this machine, through transformers. Loaded here; never downloaded.

    Raises MissingModelError where the folder is not there or holds no model that can be read without running code.
    """

    def __init__(self, folder: str | Path) -> None:
        if not (Path(folder) / "config.json").is_file():
            raise MissingModelError(
                f"explain.rewriter: {folder} holds no model (no config.json); give the folder of a downloaded causal "
                "language model, or leave the setting empty"
            )
        from transformers import AutoModelForCausalLM, AutoTokenizer  # seconds to import

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model: Any = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise MissingModelError(f"explain.rewriter: {folder} cannot be loaded ({reason})") from None
        self._model.eval()

    def __call__(self, text: str) -> str:
        """The model's most likely continuation of the request to rewrite ``text``."""
        prompt, tokenizer = PROMPT.format(text=text), self._tokenizer
        if tokenizer.chat_template:
            turn = [{"role": "user", "content": prompt}]
            prompt = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
        inputs = tokenizer(prompt, return_tensors="pt", add_special_tokens=not tokenizer.chat_template)
        ids = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        out = self._model.generate(**ids, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
        return str(tokenizer.decode(out[0][ids["input_ids"].shape[1] :], skip_special_tokens=True))
