"""What the stand-in is asked: a chat completion request, read into its own terms."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from .chance import Seed, draw, seed
from .rules import Rule, Stance, read
from .toolbox import Purpose, Tool, sort

_ORDER_NUMBER = re.compile(r"\b\d{4}\b")

HABITS: Mapping[Rule, float] = {
    Rule.LOOKUP: 0.25,
    Rule.ENTITLEMENT: 0.5,
    Rule.AMOUNT: 0.6,
    Rule.ACTION: 0.6,
    Rule.KNOWLEDGE: 0.4,
    Rule.ESCALATION: 0.4,
    Rule.STRUCTURE: 0.3,
    Rule.RECHECK: 0.0,
    Rule.DELIBERATION: 0.0,
}
"""How often a rule is followed that the prompt does not speak of."""

read_rules = lru_cache(maxsize=256)(read)


class BadRequestError(Exception):
    """The request is not a chat completion request; the message says why, for the caller."""


@dataclass(frozen=True)
class Conversation:
    """One request.

    Attributes:
        rules: What the system and developer messages ask for and forbid.
        said: The user's messages, in order.
        results: What the tools answered since the last of them, by purpose; None for an error.
        tools: The tool for each purpose that one was given for.
        temperature: Higher means more slips.
    """

    rules: Mapping[Rule, Stance]
    said: tuple[str, ...]
    results: Mapping[Purpose, Mapping[str, Any] | None]
    tools: Mapping[Purpose, Tool]
    temperature: float

    @cached_property
    def seed(self) -> Seed:
        """From the user's words alone: a prompt acts through its rules, never through luck."""
        return seed(*self.said)

    @property
    def task(self) -> str:
        """The user's last message."""
        return self.said[-1]

    @property
    def order(self) -> str | None:
        """The order number in the task, if it names one."""
        named = _ORDER_NUMBER.search(self.task)
        return named.group() if named else None

    def follows(self, rule: Rule) -> bool:
        """Whether this rule is followed here: as told, else as often as it is a habit."""
        match self.rules.get(rule):
            case Stance.ASKED:
                return True
            case Stance.FORBIDDEN:
                return False
            case None:
                return draw(self.seed, rule) < HABITS[rule]

    def may(self, purpose: Purpose) -> bool:
        """Whether there is a tool for the purpose that was not called yet."""
        return purpose in self.tools and purpose not in self.results

    def failed(self, purpose: Purpose) -> bool:
        """Whether the tool was called and answered with an error."""
        return purpose in self.results and self.results[purpose] is None


def understand(request: Mapping[str, Any]) -> Conversation:
    """Read a request.

    Raises:
        BadRequestError: It is not of the form of a chat completion request.
    """
    messages = request.get("messages")
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        raise BadRequestError("messages must be a list of objects")
    said = tuple(_text(m) for m in messages if m.get("role") == "user")
    if not said:
        raise BadRequestError("messages must have one of role user")
    prompt = [_text(m) for m in messages if m.get("role") in {"system", "developer"}]
    tools = sort(_tools(request.get("tools")))
    temperature = request.get("temperature", 1.0)
    if not isinstance(temperature, int | float):
        raise BadRequestError("temperature must be a number")
    return Conversation(
        rules=read_rules("\n\n".join(prompt)),
        said=said,
        results=_results(messages, tools),
        tools=tools,
        temperature=float(temperature),
    )


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _tools(tools: object) -> Iterable[Tool]:
    if not isinstance(tools, list | None):
        raise BadRequestError("tools must be a list")
    try:
        return [Tool.of(tool["function"]) for tool in tools or []]
    except (TypeError, KeyError) as error:
        raise BadRequestError("tools must be a list of functions with a name") from error


def _results(
    messages: list[dict[str, Any]], tools: Mapping[Purpose, Tool]
) -> Mapping[Purpose, Mapping[str, Any] | None]:
    last = max(i for i, message in enumerate(messages) if message.get("role") == "user")
    purposes = {tool.name: purpose for purpose, tool in tools.items()}
    called: dict[str, str] = {}
    results: dict[Purpose, Mapping[str, Any] | None] = {}
    for message in messages[last:]:
        for call in message.get("tool_calls") or []:
            called[call["id"]] = call["function"]["name"]
        if message.get("role") == "tool":
            purpose = purposes.get(called.get(str(message.get("tool_call_id")), ""))
            if purpose is not None:
                results[purpose] = _result(_text(message))
    return results


def _result(text: str) -> Mapping[str, Any] | None:
    try:
        result = json.loads(text)
    except ValueError:
        return None
    return result if isinstance(result, dict) and "error" not in result else None
