"""What the stub of a tool answers: what was declared, or a value made up from the arguments."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from turnout.api.tools import ShadowMode, Tool
from turnout.core.jsontext import parse
from turnout.core.views import mode
from turnout.errors import Invalid
from turnout.evals.graders.documents import canonical, obeyed, validator

MOST_REMEMBERED: Final = 100_000
"""Different calls whose number is remembered; after that their ids begin anew."""


class Outcome(StrEnum):
    """What became of a call."""

    ANSWERED = "Answered"
    BLOCKED = "Blocked"
    INVALID_ARGUMENTS = "InvalidArguments"
    NO_SUCH_TOOL = "NoSuchTool"


@dataclass(frozen=True)
class Said:
    """What a stub says to a call.

    Attributes:
        outcome: What became of it.
        result: What the caller is told; an `error` and a `message` where it was not answered.
    """

    outcome: Outcome
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Stub:
    """The stub of one tool.

    Attributes:
        name: Name of the tool.
        description: What models read about it.
        schema: JSON Schema of its arguments, as text.
        mode: Stub or Block.
        response: What is answered; None for a value that is made up.
    """

    name: str
    description: str
    schema: str
    mode: ShadowMode
    response: Mapping[str, Any] | None = None


class Stubs:
    """Stubs by name, and how often each was called with the same arguments."""

    def __init__(self, stubs: Mapping[str, Stub]) -> None:
        self.tools = stubs
        self._calls: Counter[bytes] = Counter()

    def answer(self, name: str, arguments: object) -> Said:
        """Answer a call, or say why it is refused."""
        stub = self.tools.get(name)
        if stub is None:
            return _refused(Outcome.NO_SUCH_TOOL, "there is no such tool")
        if not isinstance(arguments, dict):
            return _refused(Outcome.INVALID_ARGUMENTS, "the arguments are no JSON object")
        grade = obeyed(stub.schema, arguments, "the call")
        if not grade.passed:
            return _refused(Outcome.INVALID_ARGUMENTS, grade.why)
        if stub.mode is ShadowMode.BLOCK:
            return _refused(Outcome.BLOCKED, "this tool is not called in a trial")
        if stub.response is not None:
            return Said(Outcome.ANSWERED, stub.response)
        return Said(Outcome.ANSWERED, {"id": self._id(name, arguments), **arguments})

    def _id(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Make an id: another one for each call, and the same ones each time the agent runs."""
        call = name.encode() + b"\n" + (canonical(dict(arguments)) or b"")
        digest = hashlib.sha256(call).digest()
        if len(self._calls) >= MOST_REMEMBERED:
            self._calls.clear()
        self._calls[digest] += 1
        made = hashlib.sha256(digest + str(self._calls[digest]).encode()).hexdigest()
        return f"stub-{made[:10]}"


def stubs_of(tools: Sequence[Tool]) -> Stubs:
    """Make stubs of the tools that a view has led to them.

    Raises:
        Invalid: A schema or a declared answer is none; the message names the tool.
    """
    stubs = []
    for one in tools:
        try:
            stubs.append(_stub(one))
        except (Invalid, ValueError) as error:
            raise Invalid("InvalidStub", f"tool {one.name}: {error}") from None
    return Stubs({one.name: one for one in stubs})


def _stub(tool: Tool) -> Stub:
    schema = tool.input_schema or "{}"
    validator(schema)
    response = tool.shadow.response if tool.shadow else None
    return Stub(
        name=tool.name,
        description=tool.description,
        schema=schema,
        mode=mode(tool),
        response=None if response is None else parse("shadow.response", response),
    )


def _refused(outcome: Outcome, message: str) -> Said:
    return Said(outcome, {"error": outcome.value, "message": message})
