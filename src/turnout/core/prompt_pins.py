"""A Prompt's text outside the cluster: what is asked for, and what is pinned of the answer.

What was read is the text from then on, whatever its label points at later: another version is
taken only where a person asks for it, by an edit or beforehand by ``refPolicy: Track``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

import rfc8785

from turnout.api.base import as_timedelta
from turnout.api.prompt import LONGEST_TEXT, Prompt, PromptSpec
from turnout.api.prompt_sources import LangfuseSource, MlflowSource, RefPolicy, ResolvedText
from turnout.core.reasons import Reason
from turnout.core.sources import Pinned
from turnout.core.tasks import SecretKey, Task, sha256
from turnout.core.texts import completed
from turnout.core.world import Unread

Outside: TypeAlias = LangfuseSource | MlflowSource

UNTIL_READ = timedelta(minutes=1)
"""Pause between two askings while there is no text: somebody may create it."""

USUAL_INTERVAL = timedelta(minutes=10)

LONGEST_VERSION = 64


@dataclass(frozen=True)
class OutsideText:
    """One version as its system told it."""

    version: str
    text: str


def outside(spec: PromptSpec) -> Outside | None:
    """Tell where a text is kept outside the cluster; None where it is in it."""
    return spec.langfuse or spec.mlflow


def name_of(source: Outside) -> str:
    """Name what is asked for, for people."""
    system = "Langfuse" if isinstance(source, LangfuseSource) else "MLflow"
    which = f"version {source.version}" if source.pointer is None else source.pointer
    return f"{system} prompt {source.name} ({which})"


def identity(source: Outside) -> str:
    """Digest of what is asked for: not of the credentials, which may be changed at any time."""
    told: Any = source.model_dump(mode="json", exclude={"secret_ref"}, exclude_none=True)
    return sha256(rfc8785.dumps({type(source).__name__: told}).decode())


def question(prompt: Prompt, source: Outside, pinned: OutsideText | None) -> Task:
    """Tell what to ask now.

    What was read and lost is asked for by its version: its label may have moved since.
    """
    known = last_read(prompt, source) if pinned is None else None
    pins = prompt.spec.ref_policy is RefPolicy.PIN
    if pins and known is not None and known.version.isdecimal():
        return _task(source.at(int(known.version)))
    return _task(source)


def last_read(prompt: Prompt, source: Outside) -> ResolvedText | None:
    """Give what is on record of the last reading; None where that was of something else."""
    known = prompt.status.resolved
    return known if known is not None and known.source == identity(source) else None


def _task(source: Outside) -> Task:
    which = ("version", source.version) if source.pointer is None else ("pointer", source.pointer)
    description = {"url": source.endpoint.rstrip("/"), "name": source.name, which[0]: which[1]}
    if isinstance(source, LangfuseSource):
        keys: tuple[str, ...] = ("public-key", "secret-key")
        told: dict[str, Any] = {"system": "langfuse"}
    else:
        keys, told = ("token",), {"system": "mlflow"}
    if source.secret_ref is None:
        return Task("prompt", {**told, **description})
    name = source.secret_ref.name
    secrets = tuple(SecretKey(name, key) for key in keys)
    named = [f"key {key} of Secret {name}" for key in keys]
    return Task("prompt", {**told, **description, "secrets": named}, secrets)


def interval_of(spec: PromptSpec, pinned: OutsideText | None) -> timedelta | None:
    """Tell the pause between two askings; None where one answer is enough."""
    if pinned is None:
        return UNTIL_READ
    if spec.ref_policy is None:
        return None
    return USUAL_INTERVAL if spec.check_interval is None else as_timedelta(spec.check_interval)


def read_result(result: Mapping[str, Any]) -> OutsideText:
    """Read a result of the task ``prompt``.

    Raises:
        ValueError: It does not have that shape; the message never quotes it.
    """
    version, text = result.get("version"), result.get("text")
    if not (
        isinstance(version, str) and isinstance(text, str) and 0 < len(version) <= LONGEST_VERSION
    ):
        raise ValueError("the report has another shape")
    if not 0 < len(text) <= LONGEST_TEXT:
        raise ValueError(f"the text has {len(text)} characters, from 1 to {LONGEST_TEXT} are taken")
    return OutsideText(version, text)


def write_text(source: Outside, found: OutsideText) -> dict[str, str]:
    """Write what was read as the data of its ConfigMap."""
    return {"text": found.text, "version": found.version, "source": identity(source)}


def read_text(spec: PromptSpec, pinned: Pinned | Unread | None) -> OutsideText | None:
    """Read what is pinned; None where that is nothing, or something else than is wanted now."""
    source = outside(spec)
    if source is None or not isinstance(pinned, Pinned):
        return None
    data = pinned.data
    if data.get("source") != identity(source):
        return None
    return OutsideText(data["version"], data["text"])


def completed_outside(prompt: Prompt, pinned: Pinned | Unread | None) -> Prompt | Unread:
    """Put the pinned text where the Prompt says where to find it."""
    source = outside(prompt.spec)
    if source is None:
        return prompt
    found = read_text(prompt.spec, pinned)
    if found is not None:
        return completed(prompt, found.text)
    if isinstance(pinned, Unread):
        return pinned
    return Unread(f"{name_of(source)} was not read yet", Reason.RESOLVE_ERROR)
