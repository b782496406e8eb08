"""How a service behaves: limits, named settings of questions, and where its models and its store are."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from graphrec.errors import ConfigError


class Limits(BaseModel):
    """What one service takes on. Whatever is above is refused at once, with when to come again."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    threads: int = Field(2, ge=1, le=64)  # that compute answers
    queue: int = Field(128, ge=1)  # questions that may wait
    batch: int = Field(32, ge=1, le=512)  # questions answered by one search
    seconds: float = Field(10.0, gt=0)  # for one answer
    body: int = Field(2_000_000, ge=1000)  # bytes of a request
    rate: float = Field(0.0, ge=0)  # requests a second of one key, 0: no limit
    ready: int = Field(10_000, ge=0)  # people whose lists are made ready before a model answers, those who took most
    burst: int = Field(100, ge=1)  # of them at once


class Keeping(BaseModel):
    """How long the store keeps what was answered. Events are kept until somebody is erased."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    keep_days: float | None = Field(None, gt=0)  # answers and impressions; None: for good


class Oidc(BaseModel):
    """Whose tokens are let in beside the keys of the store."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    issuer: str = Field(min_length=1)  # as the claim iss has it
    audience: str = Field(min_length=1)  # what this service is called there, the claim aud
    jwks: str = Field(min_length=1)  # the provider's keys: an https URL, or a file
    scopes: str = "scope"  # the claim with the scopes read, events, admin: a text with spaces, or a list
    prefix: str = ""  # of a scope's name there, such as "graphrec:"
    algorithms: tuple[Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"], ...] = (
        "RS256",
        "ES256",
    )
    leeway: float = Field(30.0, ge=0, le=300)  # seconds that clocks may differ

    @field_validator("jwks")
    @classmethod
    def _safe(cls, place: str) -> str:
        if "://" in place and not place.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("keys that come over a network come over https; give such a URL, or a file")
        return place


class Otel(BaseModel):
    """Where spans of requests are sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    endpoint: str = "http://127.0.0.1:4318/v1/traces"  # of a collector, OTLP over HTTP
    service: str = "graphrec"
    share: float = Field(1.0, ge=0, le=1)  # of requests that are traced, where who asks has not decided


class Erasure(BaseModel):
    """Whether and how models are written anew, in their folders, without people who are erased."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rewrite: bool = False
    after: float = Field(60.0, ge=0)  # seconds in which further erasures are waited for
    way: Literal["refit", "anew", "quick"] = "refit"  # see docs/forgetting.md


class Serving(BaseModel):
    """Settings of a service; ``graphrec serve --config FILE.toml`` reads them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    limits: Limits = Limits()
    store: Keeping = Keeping()
    oidc: Oidc | None = None  # tokens are let in
    otel: Otel | None = None  # requests are traced
    erasure: Erasure = Erasure()
    scenarios: dict[str, dict[str, Any]] = {}  # name → fields of a question, which the question itself outweighs
    explore: float = Field(0.2, ge=0, le=0.5)  # the largest share that a question may ask for
    salt: str = "graphrec"  # of the assignment of users to a model on trial

    @classmethod
    def read(cls, path: Path | None) -> Serving:
        """From a TOML file. Raises ConfigError for what cannot be read, or is no setting."""
        if path is None:
            return cls()
        try:
            found = cls.model_validate(tomllib.loads(path.read_text("utf-8")))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read ({error}); give a TOML file") from None
        except ValidationError as error:
            fault = error.errors()[0]
            raise ConfigError(f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
        found.checked(path)
        return found

    def checked(self, path: Path) -> None:
        """Raises ConfigError for a scenario that no question could have, and for a file of ``oidc`` without keys."""
        from graphrec.rerank.filters import tree
        from graphrec.serve.schemas import Ask

        for name, fields in self.scenarios.items():
            try:
                ask = Ask.model_validate(fields)
                if ask.filter:
                    tree(ask.filter)
            except ValidationError as error:
                fault = error.errors()[0]
                where = ".".join(map(str, fault["loc"]))
                raise ConfigError(
                    f"{path}: scenarios.{name}.{where}: {fault['msg']}; it takes what POST /recommend does"
                ) from None
            except ConfigError as error:
                raise ConfigError(f"{path}: scenarios.{name}: {error}") from None
            if ask.explore is not None and ask.explore > self.explore:
                raise ConfigError(
                    f"{path}: scenarios.{name}.explore: {ask.explore:g} is more than {self.explore:g}, which this"
                    " service allows; set explore above all scenarios"
                )
        if self.oidc is not None and "://" not in self.oidc.jwks:
            try:
                held = json.loads(Path(self.oidc.jwks).read_bytes())["keys"]
            except (OSError, ValueError, KeyError, TypeError):
                held = None
            if not isinstance(held, list) or not held:
                raise ConfigError(
                    f'{path}: oidc.jwks: {self.oidc.jwks} is no file with {{"keys": [...]}}; give one, or an https URL'
                )
