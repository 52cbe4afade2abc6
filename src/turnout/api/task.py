"""A task: one question to an outside system, answered by a Job in its object's own namespace."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from turnout.api.base import Digest, Message, Name, Timestamp, Wire


class TaskOutcome(StrEnum):
    """How a task ended. May grow."""

    ANSWERED = "Answered"
    FAILED = "Failed"


class TaskStatus(Wire):
    """The newest task of an object: under way until it has ended."""

    job: Name
    """Name of the Job."""
    nonce_hash: Digest
    """SHA-256 of the word that the Job must say with its answer; only the Job has the word."""
    asked: Digest
    """Digest of what was asked: another question is another task."""
    started_at: Timestamp
    """When it was begun."""
    ended_at: Timestamp | None = None
    """When it was answered or given up; absent while it is under way."""
    outcome: TaskOutcome | None = None
    """How it ended; absent while it is under way."""
    failures: Annotated[int, Field(ge=0, le=1000)] = 0
    """Tasks in a row that brought no usable answer."""
    message: Message = ""
    """What went wrong, empty where nothing did."""
