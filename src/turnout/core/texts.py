"""Where a Prompt's text comes from; once it is there, nobody else asks.

A Prompt is *completed* with its text as if that had been written in it. So the same text has the
same digest wherever it comes from, and all that forms, stores and shows content knows one shape.
"""

from __future__ import annotations

from typing import Any

from turnout.api.prompt import LONGEST_TEXT, ConfigMapKeyRef, Prompt
from turnout.core.plan import Document
from turnout.core.reasons import Reason
from turnout.core.world import Unread

_WHERE = ("config_map_key_ref", "langfuse", "mlflow", "ref_policy", "check_interval")
"""Fields that say where a text is kept: no content, so they are gone once it is there."""


def completed(prompt: Prompt, text: str | Unread) -> Prompt | Unread:
    """Put a text where the Prompt says where to find it."""
    if isinstance(text, Unread):
        return text
    written: dict[str, Any] = dict.fromkeys(_WHERE) | {"text": text}
    return prompt.model_copy(update={"spec": prompt.spec.model_copy(update=written)})


def text_in(ref: ConfigMapKeyRef, config_map: Document | None) -> str | Unread:
    """Find a text in a ConfigMap, or say what is in the way; None is one that does not exist."""
    if config_map is None:
        message = f"ConfigMap {ref.name} does not exist in this namespace"
        return Unread(message, Reason.REFERENCE_NOT_FOUND)
    text = (config_map.get("data") or {}).get(ref.key)
    if isinstance(text, str):
        return _bounded(ref, text)
    if ref.key in (config_map.get("binaryData") or {}):
        message = f"key {ref.key} of ConfigMap {ref.name} is binary; a prompt is UTF-8 text"
        return Unread(message, Reason.INVALID_TEXT)
    return Unread(f"ConfigMap {ref.name} has no key {ref.key}", Reason.REFERENCE_NOT_FOUND)


def _bounded(ref: ConfigMapKeyRef, text: str) -> str | Unread:
    where = f"key {ref.key} of ConfigMap {ref.name}"
    if not text:
        return Unread(f"{where} is empty", Reason.INVALID_TEXT)
    if len(text) > LONGEST_TEXT:
        message = f"{where} has {len(text)} characters, at most {LONGEST_TEXT} are taken"
        return Unread(message, Reason.TOO_LARGE)
    return text
