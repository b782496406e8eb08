"""All settings: one frozen pydantic model, read from TOML and overridden by ``section.key=value``.

Everything that a validation set can choose is chosen there unless it is set here. The sections of ``settings`` stand
beside one for every block that is registered.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ValidationError, create_model

from graphrec.blocks.api import Block
from graphrec.blocks.registry import find, registered
from graphrec.cluster.engine import engine_of
from graphrec.errors import ConfigError
from graphrec.presets import PRESETS, Preset
from graphrec.runtime import Runtime
from graphrec.settings import (
    BlendConfig,
    ContentConfig,
    EvaluateConfig,
    ExplainConfig,
    FairConfig,
    FeaturesConfig,
    KGConfig,
    Names,
    PrivacyConfig,
    RetrieveConfig,
    RobustConfig,
    RuntimeConfig,
    Section,
    SplitConfig,
    StrengthConfig,
)

PART = 0.25  # of the memory of a fit, which a block that can do with less takes at most


class Settings(Section):
    """All settings but those of the blocks; ``Config`` has both. Unknown names are refused with the nearest one."""

    seed: int = 42
    blocks: Names = (
        *("popularity", "season", "spectral", "neighbours", "ease", "ials", "transitions", "slit"),
        *("place", "circle", "kin", "graph", "semantic"),
    )
    seen: Literal["exclude", "allow", "only"] = "exclude"  # what a user already took: left out, ranked too, or alone
    split: SplitConfig = SplitConfig()
    strength: StrengthConfig = StrengthConfig()
    kg: KGConfig = KGConfig()
    features: FeaturesConfig = FeaturesConfig()
    blend: BlendConfig = BlendConfig()
    content: ContentConfig = ContentConfig()
    retrieve: RetrieveConfig = RetrieveConfig()
    explain: ExplainConfig = ExplainConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    fair: FairConfig = FairConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    robust: RobustConfig = RobustConfig()
    runtime: RuntimeConfig = RuntimeConfig()

    @classmethod
    def parse(cls, values: dict[str, Any], where: str = "configuration") -> Self:
        """Validate nested values. Raises ConfigError naming every wrong setting."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {_fault(e)}" for e in error.errors())
            told = "settings are described in graphrec/settings.py and in the blocks' files"
            raise ConfigError(f"{where}: {faults}; {told}") from None

    @classmethod
    def load(
        cls, path: str | Path | None = None, overrides: Sequence[str] = (), preset: Preset | str = "default"
    ) -> Self:
        """Defaults, then a preset, then a TOML file, then ``section.key=value`` overrides. Raises ConfigError."""
        if preset not in PRESETS:
            raise ConfigError(f"--preset {preset}: there is no such preset; known are {', '.join(PRESETS)}")
        values: dict[str, Any] = {}
        _override(values, PRESETS[preset])
        if path is not None:
            try:
                _lay_over(values, tomllib.loads(Path(path).read_text("utf-8")))
            except OSError as error:
                raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise ConfigError(f"{path}: not valid TOML ({error})") from None
        _override(values, overrides)
        return cls.parse(values, str(path or "settings"))

    def with_(self, **changes: Any) -> Self:
        """A copy with sections or fields replaced; a section may be given as a dict of its changed fields."""
        values = self.model_dump()
        for name, change in changes.items():
            values[name] = {**values[name], **change} if isinstance(change, dict) else change
        return type(self).parse(values)

    @property
    def cut(self) -> SplitConfig:
        """How held-out data is cut for the task that is set: single events where re-orders count."""
        return self.split if self.seen == "exclude" else self.split.model_copy(update={"repeats": True})

    def block(self, name: str) -> Block[Any]:
        """The block of this name with its section of settings. Raises ConfigError for one that does not exist."""
        kind = find(name)
        section, most = getattr(self, name), self.runtime.memory_gb * PART
        if most and getattr(section, "memory_gb", 0.0) > most:
            section = section.model_copy(update={"memory_gb": most})
        return kind(section)

    def checked(self) -> Self:
        """The same, after what it names was looked for: blocks, a device, a model of an extractor, a file of overrides.

        What is not there is said before any data is read. Raises ConfigError.
        """
        if len(set(self.blocks)) < len(self.blocks):
            raise ConfigError(f"blocks: {', '.join(self.blocks)} names a block twice; name each once")
        for name in self.blocks:
            find(name)
        engine_of(self.runtime.engine)
        if self.runtime.device not in ("auto", "cpu"):  # torch takes seconds to import
            Runtime(self.runtime.device).torch_device()
        if self.kg.extractor != "spacy" and not self.kg.model:
            raise ConfigError(f"kg.extractor={self.kg.extractor} needs a model; set kg.model to a folder or a hub name")
        if self.kg.overrides and not Path(self.kg.overrides).is_file():
            raise ConfigError(f"kg.overrides: there is no file {self.kg.overrides!r}; correct it, or leave it out")
        encoder = self.features.encoder
        if self.features.enabled and _is_path(encoder) and not Path(encoder).is_dir():
            raise ConfigError(f"features.encoder: there is no folder {encoder!r}; set a folder, a hub name or auto")
        return self

    def fingerprint(self) -> str:
        """SHA-256 of all settings that count."""
        return hashlib.sha256(self.at_home().to_toml().encode()).hexdigest()

    def at_home(self) -> Self:
        """The same without the engine: where work was done is no part of what it made."""
        return self if self.runtime.engine == "local" else self.with_(runtime={"engine": "local"})

    def to_toml(self) -> str:
        """This configuration as TOML; ``load`` reads it back equal. Blocks that it does not name have a section only
        where something is set for them."""
        other = {name: block.Settings() for name, block in registered().items() if name not in self.blocks}
        unused = {name for name, default in other.items() if getattr(self, name) == default}
        values = {name: value for name, value in self.model_dump(mode="json").items() if name not in unused}
        lines = [f"{k} = {_toml(v)}" for k, v in values.items() if not isinstance(v, dict)]
        for name, section in values.items():
            if isinstance(section, dict):
                lines += ["", f"[{name}]", *(f"{k} = {_toml(v)}" for k, v in section.items())]
        return "\n".join(lines) + "\n"


if TYPE_CHECKING:

    class Config(Settings):
        """All settings; a section for each block under its name."""

        def __getattr__(self, name: str) -> Any: ...

else:
    Config = create_model(
        "Config",
        __base__=Settings,
        __module__=__name__,
        __doc__="All settings; a section for each block under its name.",
        **{name: (block.Settings, block.Settings()) for name, block in registered().items()},
    )


def _is_path(encoder: str) -> bool:
    """Whether a name of a model can be no name on a hub: "./e5", "/models/e5", "a/b/c"."""
    return encoder.startswith((".", "/", "~")) or encoder.count("/") > 1 or "\\" in encoder


def _override(values: dict[str, Any], overrides: Sequence[str]) -> None:
    """Write ``section.key=value`` over nested values."""
    for override in overrides:
        key, sep, text = override.partition("=")
        if not sep or not key.strip():
            raise ConfigError(f"--set {override}: expected section.key=value, for example blocks=spectral")
        *sections, leaf = key.strip().split(".")
        target = values
        for section in sections:
            target = target.setdefault(section, {})
            if not isinstance(target, dict):
                raise ConfigError(f"--set {override}: {section} is a value, not a section")
        target[leaf] = text.strip()


def _lay_over(values: dict[str, Any], others: Mapping[str, Any]) -> None:
    """Write nested values over others."""
    for name, value in others.items():
        if isinstance(value, dict) and isinstance(values.get(name), dict):
            _lay_over(values[name], value)
        else:
            values[name] = value


def _fault(error: Mapping[str, Any]) -> str:
    """What is wrong with one setting, from pydantic's description of it."""
    if error["type"] != "extra_forbidden":
        return f"{error['msg']} (found {error['input']!r})"
    *path, name = map(str, error["loc"])
    known = Config().model_dump().get(path[0], ()) if path else Config.model_fields
    near = get_close_matches(name, known, n=1)
    return "there is no such setting" + (f", perhaps {'.'.join([*path, *near])} is meant" if near else "")


def _toml(value: Any) -> str:
    """A value in TOML, which writes bools, numbers, strings and lists as JSON does."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
