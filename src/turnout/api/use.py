"""Who refers to a shared object, and how far its content came there."""

from enum import StrEnum

from turnout.api.base import Name, Wire


class UseState(StrEnum):
    """How far the present content of an object came in one agent. May grow."""

    PROMOTED = "Promoted"
    IN_PROGRESS = "InProgress"
    QUEUED = "Queued"
    REJECTED = "Rejected"
    PENDING = "Pending"


class User(Wire):
    """One agent that refers to an object."""

    agent: Name
    """Name of the Agent. Example: support."""


class Use(User):
    """One agent that refers to an object, and how far the object's content came there."""

    version: Name | None = None
    """Version of the agent that holds the object's present content."""
    state: UseState = UseState.PENDING
    """How far that version came."""
