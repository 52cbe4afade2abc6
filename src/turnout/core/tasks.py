"""Tasks: what a Job is asked, and what its answer says.

Whatever lies outside the cluster is read by a Job in the namespace of the object that names it,
with that namespace's own Secret; the operator itself neither connects there nor reads a Secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import rfc8785

from turnout.core.jsontext import parse

MOST_BYTES = 32 * 1024
"""Largest description of a task."""

AUDIENCE = "turnout.dev/report"
"""Whom the Job's token is for: it is good for nothing else."""

_MOST_STEPS = 2**31 - 1
_LONGEST_LEFT = 7 * 24 * 3600


@dataclass(frozen=True)
class SecretKey:
    """One value of a person's Secret; only its name is ever known here.

    Attributes:
        secret: Name of the Secret, in the namespace of the object.
        key: Key in it.
    """

    secret: str
    key: str


@dataclass(frozen=True)
class Mount:
    """Keys of a ConfigMap that the Job reads as files.

    Attributes:
        config_map: Name of the ConfigMap, in the namespace of the object.
        keys: Keys of it, each a file of that name.
        path: Directory.
    """

    config_map: str
    keys: tuple[str, ...]
    path: str


@dataclass(frozen=True)
class Task:
    """One question to an outside system.

    Attributes:
        kind: Which task of ``turnout.jobs`` it is.
        description: What is asked, as JSON.
        secrets: Values that the Job gets, in an order that the description can refer to.
        timeout: How long the task itself may take.
        mounts: Files that the Job gets; the description says what must be in them.
    """

    kind: str
    description: Mapping[str, Any]
    secrets: tuple[SecretKey, ...] = ()
    timeout: timedelta = field(default=timedelta(seconds=60))
    mounts: tuple[Mount, ...] = ()

    @cached_property
    def text(self) -> str:
        """The task as the Job reads it.

        No dollar sign is in it: the kubelet would put a variable in place of ``$(NAME)``, a secret
        one too.
        """
        whole: Any = {
            "kind": self.kind,
            "description": dict(self.description),
            "secrets": [{"secret": one.secret, "key": one.key} for one in self.secrets],
            "timeout": int(self.timeout.total_seconds()),
        }
        return rfc8785.dumps(whole).decode().replace("$", "\\u0024")

    @property
    def digest(self) -> str:
        """Digest of all that is asked."""
        return sha256(self.text)

    @property
    def too_large(self) -> str | None:
        """What is wrong with its size; None where it fits."""
        size = len(self.text.encode())
        return None if size <= MOST_BYTES else f"asks for {size} bytes, at most {MOST_BYTES} fit"


@dataclass(frozen=True)
class Problem:
    """Why a task brought no answer: a word for a condition and a sentence in our own words."""

    reason: str
    message: str


@dataclass(frozen=True)
class Progress:
    """How far a Job is: no answer yet.

    Attributes:
        done: What is done of it.
        total: All there is to do.
        left: Seconds that the rest takes.
    """

    done: int
    total: int
    left: float


@dataclass(frozen=True)
class Answer:
    """What a Job reported. It comes from outside: believed only as far as it was checked.

    Attributes:
        nonce_hash: SHA-256 of the word that came with it.
        result: What the task found; empty where it found nothing.
        problem: Why it found nothing, or not all.
        progress: How far the Job is, in place of a result; None in an answer.
    """

    nonce_hash: str
    result: Mapping[str, Any]
    problem: Problem | None = None
    progress: Progress | None = None


def sha256(text: str) -> str:
    """Digest of a text."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def read_answer(nonce: str, text: str) -> Answer:
    """Read the text of a report.

    Raises:
        ValueError: It is not a report; the message never quotes it.
    """
    document = parse("the report", text)
    if document.keys() == {"progress"}:
        return Answer(sha256(nonce), {}, progress=_progress(document["progress"]))
    problem, result = document.get("problem"), document.get("result", {})
    shaped = isinstance(result, dict) and isinstance(problem, dict | None)
    if not shaped or (problem is None and "result" not in document):
        raise ValueError("the report has another shape")
    return Answer(sha256(nonce), result, None if problem is None else _problem(problem))


def _progress(told: Any) -> Progress:
    """Read how far a Job is.

    Raises:
        ValueError: It does not have that shape.
    """
    match told:
        case {"done": int(done), "total": int(total), "secondsLeft": int() | float() as left} if (
            0 <= done <= total <= _MOST_STEPS and 0 <= left <= _LONGEST_LEFT
        ):
            return Progress(done, total, float(left))
        case _:
            raise ValueError("the progress has another shape")


def _problem(told: Mapping[str, Any]) -> Problem:
    return Problem(str(told.get("reason", ""))[:64], str(told.get("message", ""))[:900])
