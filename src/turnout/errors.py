"""What can go wrong, sorted by what the caller should do about it.

Adapters raise these and nothing else; whoever calls them never sees an HTTP status or a client
library's exception. Messages name the object and never quote a foreign body.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from typing_extensions import override


class TurnoutError(Exception):
    """Root of everything that Turnout raises on purpose."""


class Transient(TurnoutError):
    """The outside world is unwell: the same call may succeed later.

    Attributes:
        delay: How long the other side asked to be left alone, None where it named no time.
    """

    def __init__(self, message: str, delay: timedelta | None = None) -> None:
        super().__init__(message)
        self.delay = delay


class Conflict(TurnoutError):
    """The object changed since it was read: read again and decide again."""


class NotFound(TurnoutError):
    """The object, or the kind itself, is not there."""


class AlreadyExists(TurnoutError):
    """An object of that name is there: read it and compare before going on."""


class Invalid(TurnoutError):
    """The input cannot be used as it is; waiting will not help, a change of it will.

    It is also a value: the Store keeps it in place of an object that could not be taken.

    Attributes:
        reason: CamelCase word for a condition.
        message: One sentence for a person.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    @override
    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


class Forbidden(TurnoutError):
    """A right is missing.

    Attributes:
        verb: Kubernetes verb, "patch".
        resource: Resource as a role names it, "httproutes.gateway.networking.k8s.io".
    """

    def __init__(self, verb: str, resource: str) -> None:
        super().__init__(verb, resource)
        self.verb = verb
        self.resource = resource

    @override
    def __str__(self) -> str:
        return f"not allowed to {self.verb} {self.resource}"


class MetricsUnavailable(TurnoutError):
    """A question to a metrics provider has no trustworthy answer: Unknown, never zero.

    Attributes:
        reason: CamelCase word: "Timeout", "Unreachable", "Refused", "TooLarge", "Malformed",
            "PartialAnswer", "UnknownProvider", "TooManyQueries".
        message: One sentence in our own words.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    @override
    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


class LeaseLost(TurnoutError):
    """This process may no longer write: another one can hold the lease from now on."""


class TaskFailed(TurnoutError):
    """A task cannot be answered now, or not in whole; a later one may be.

    Attributes:
        reason: CamelCase word for a condition.
        message: One sentence in our own words, without anything that was read.
        found: What was found all the same, as the task's result.
    """

    def __init__(self, reason: str, message: str, found: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.found = found

    @override
    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"
