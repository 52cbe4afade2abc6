"""A suite's tasks with all that they are read from, and how a Job finds them again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from turnout.api.prompt import ConfigMapKeyRef
from turnout.api.suite import EvalSuite, EvalSuiteSpec
from turnout.api.suite_task import SuiteTask, TaskFormat
from turnout.core.plan import Document
from turnout.core.reasons import Reason
from turnout.core.suites.datasets import MOST_BYTES_TOGETHER, digest, read, together
from turnout.core.tasks import sha256
from turnout.core.world import Unread
from turnout.errors import Invalid

INLINE: Final = "tasks.jsonl"
"""Key of the ConfigMap that holds the tasks which stand in the suite itself."""


@dataclass(frozen=True)
class File:
    """One file of tasks.

    Attributes:
        config_map: Name of the ConfigMap; None for that of the tasks that stand in the suite.
        key: Key of it.
        format: How it is written.
        digest: Digest of its text.
    """

    config_map: str | None
    key: str
    format: TaskFormat
    digest: str


@dataclass(frozen=True)
class Golden:
    """A suite as it is asked and judged.

    Attributes:
        tasks: All its tasks, those that stand in the suite first.
        digest: Identity of its tasks and graders.
        files: What they are read from, in the same order.
    """

    tasks: tuple[SuiteTask, ...]
    digest: str
    files: tuple[File, ...]


def read_golden(suite: EvalSuite, texts: Sequence[str | Unread]) -> Golden | Unread:
    """Read a suite's tasks.

    Args:
        suite: The suite.
        texts: What its ``tasksFrom`` name, in their order.
    """
    missing = next((one for one in texts if isinstance(one, Unread)), None)
    if missing is not None:
        return missing
    found = [one for one in texts if isinstance(one, str)]
    size = sum(len(one.encode()) for one in found)
    if size > MOST_BYTES_TOGETHER:
        message = f"the tasks have {size} bytes, at most {MOST_BYTES_TOGETHER} are taken"
        return Unread(message, Reason.TOO_LARGE)
    try:
        return _read(suite.spec, found)
    except Invalid as error:
        return Unread(error.message, Reason.INVALID_SPEC)


def _read(spec: EvalSuiteSpec, texts: Sequence[str]) -> Golden:
    parts, files = [], []
    if spec.tasks:
        parts.append(spec.tasks)
        inline = File(None, INLINE, TaskFormat.JSONL, sha256(written(spec)[INLINE]))
        files.append(inline)
    for source, text in zip(spec.tasks_from, texts, strict=True):
        ref = source.config_map_key_ref
        parts.append(read(source.format, text, f"key {ref.key} of ConfigMap {ref.name}"))
        files.append(File(ref.name, ref.key, source.format, sha256(text)))
    tasks = together(parts)
    return Golden(tasks, digest(tasks, None), tuple(files))


def written(spec: EvalSuiteSpec) -> dict[str, str]:
    """Write the tasks that stand in a suite as the data of a ConfigMap."""
    rows: list[Any] = [one.to_wire() for one in spec.tasks]
    text = "".join(f"{json.dumps(one, ensure_ascii=False, sort_keys=True)}\n" for one in rows)
    return {INLINE: text}


def tasks_in(ref: ConfigMapKeyRef, config_map: Document | None) -> str | Unread:
    """Find a file of tasks in a ConfigMap, or say what is in the way; None does not exist."""
    if config_map is None:
        message = f"ConfigMap {ref.name} does not exist in this namespace: create it"
        return Unread(message, Reason.REFERENCE_NOT_FOUND)
    data: Mapping[str, Any] = config_map.get("data") or {}
    text = data.get(ref.key)
    if isinstance(text, str):
        return text
    if ref.key in (config_map.get("binaryData") or {}):
        message = f"key {ref.key} of ConfigMap {ref.name} is binary: tasks are UTF-8 text"
        return Unread(message, Reason.INVALID_TEXT)
    message = f"ConfigMap {ref.name} has no key {ref.key}: add it, or change configMapKeyRef.key"
    return Unread(message, Reason.REFERENCE_NOT_FOUND)
