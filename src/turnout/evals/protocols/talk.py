"""One question to an agent and the reading of its answer, whatever protocol it speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from turnout.core.quoting import quoted
from turnout.evals.graders.answers import Answer, Call, NotJson, parsed
from turnout.evals.graders.paths import values

MOST_TOKENS: Final = 10**9
"""Tokens of one answer that are believed."""


class Protocol(StrEnum):
    """Protocols that agents are asked by."""

    OPENAI_CHAT = "OpenAIChat"
    OPENAI_RESPONSES = "OpenAIResponses"
    A2A = "A2A"
    HTTP = "HTTP"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    Attributes:
        role: `user` or `assistant`.
        text: What was said.
    """

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an agent is asked, and how its answer is read.

    Attributes:
        url: Whole address.
        protocol: What it speaks.
        model: Name that is sent as the model, where the protocol has one.
        input_field: Field of the question in the body of plain HTTP.
        answer_path: Place of the answer in the response of plain HTTP.
        calls_path: Place of the list of tool calls in the response of any protocol; None where the
            protocol itself tells them, or nobody does.
    """

    url: str
    protocol: Protocol = Protocol.OPENAI_CHAT
    model: str = "agent"
    input_field: str = "input"
    answer_path: str = "$.output"
    calls_path: str | None = None


class Unreadable(Exception):
    """A response cannot be read as an answer; the message says why and quotes nothing of it."""


class NotAsked(Exception):
    """A protocol cannot carry this conversation."""


_Body = dict[str, Any]


def question(endpoint: Endpoint, conversation: Sequence[Message], number: str) -> _Body:
    """Make the body of a question.

    Args:
        endpoint: Whom it is for.
        conversation: Messages, the last one by the user.
        number: Word that tells this question from others, where the protocol wants one.

    Raises:
        NotAsked: The protocol carries one message at a time, and there are several.
    """
    if endpoint.protocol is Protocol.OPENAI_CHAT:
        return {"model": endpoint.model, "messages": _turns(conversation)}
    if endpoint.protocol is Protocol.OPENAI_RESPONSES:
        return {"model": endpoint.model, "input": _turns(conversation), "store": False}
    if len(conversation) > 1:
        raise NotAsked(f"{endpoint.protocol} carries one message, the task has {len(conversation)}")
    text = conversation[-1].text
    if endpoint.protocol is Protocol.HTTP:
        return {endpoint.input_field: text}
    parts = [{"kind": "text", "text": text}]
    message = {"kind": "message", "role": "user", "messageId": number, "parts": parts}
    params = {"message": message, "configuration": {"blocking": True}}
    return {"jsonrpc": "2.0", "id": number, "method": "message/send", "params": params}


def answer(endpoint: Endpoint, response: str) -> Answer:
    """Read a response.

    Raises:
        Unreadable: It is no answer of this protocol.
    """
    try:
        document = parsed(response)
    except NotJson as error:
        raise Unreadable(f"the response {error}") from None
    read = replace(_READ[endpoint.protocol](endpoint, document), tokens=_tokens(document))
    if endpoint.calls_path is None:
        return read
    return replace(read, calls=_calls(endpoint.calls_path, document))


def _tokens(document: Any) -> int | None:
    """Read how many tokens were used, as both protocols of OpenAI and many others tell it."""
    match values("$.usage.total_tokens", document):
        case [int() as tokens] if not isinstance(tokens, bool) and 0 <= tokens <= MOST_TOKENS:
            return tokens
        case _:
            return None


def _turns(conversation: Sequence[Message]) -> list[_Body]:
    return [{"role": one.role, "content": one.text} for one in conversation]


def _chat(_endpoint: Endpoint, document: Any) -> Answer:
    message = _only("$.choices[0].message", document)
    text = _only("$.choices[0].message.content", document)
    told = message.get("tool_calls") if isinstance(message, dict) else None
    functions = values("$[*].function", told) if told else None
    return Answer(
        "" if text is None and told else _text(text),
        None if functions is None else tuple(_call(one) for one in functions),
    )


def _responses(_endpoint: Endpoint, document: Any) -> Answer:
    status = document.get("status", "completed") if isinstance(document, dict) else None
    if status != "completed":
        raise Unreadable(f"the response is {quoted(str(status), 40)}, not completed")
    items = [one for one in values("$.output[*]", document) if isinstance(one, dict)]
    texts = [
        _text(part.get("text"))
        for one in items
        if one.get("type") == "message"
        for part in values("$.content[*]", one)
        if isinstance(part, dict) and part.get("type") == "output_text"
    ]
    if not texts:
        raise Unreadable("the response has no output_text")
    calls = [_call(one) for one in items if one.get("type") in {"function_call", "mcp_call"}]
    return Answer("".join(texts), tuple(calls))


_DONE: Final = frozenset({"completed", "rejected", "input-required", "auth-required"})
"""States of an A2A task in which the agent has said what it had to say."""


def _a2a(_endpoint: Endpoint, document: Any) -> Answer:
    if isinstance(document, dict) and "error" in document:
        raise Unreadable("the agent answered with an error of JSON-RPC")
    result = _only("$.result", document)
    places = ["$.parts[*].text"]
    if isinstance(result, dict) and "status" in result:
        state = _only("$.status.state", result)
        if state not in _DONE:
            raise Unreadable(f"the task is {quoted(str(state), 40)}")
        places = ["$.artifacts[*].parts[*].text", "$.status.message.parts[*].text"]
    texts = next((found for place in places if (found := values(place, result))), None)
    if texts is None:
        raise Unreadable("the answer has no text")
    return Answer("".join(_text(one) for one in texts))


def _http(endpoint: Endpoint, document: Any) -> Answer:
    return Answer(_text(_only(endpoint.answer_path, document)))


_READ: Final[Mapping[Protocol, Callable[[Endpoint, Any], Answer]]] = {
    Protocol.OPENAI_CHAT: _chat,
    Protocol.OPENAI_RESPONSES: _responses,
    Protocol.A2A: _a2a,
    Protocol.HTTP: _http,
}


def _calls(path: str, document: Any) -> tuple[Call, ...]:
    told = _only(path, document)
    if not isinstance(told, list):
        raise Unreadable("the calls of tools are no list")
    return tuple(_call(one) for one in told)


def _call(told: Any) -> Call:
    """Read a call as OpenAI writes it (`name`, arguments as text), or with `tool` and an object."""
    if not isinstance(told, dict):
        raise Unreadable("a call of a tool is no object")
    name, arguments = told.get("name", told.get("tool")), told.get("arguments", {})
    if isinstance(arguments, str):
        try:
            arguments = parsed(arguments or "{}")
        except NotJson:
            arguments = None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise Unreadable("a call of a tool has no name, or arguments that are no object")
    return Call(name, arguments)


def _only(path: str, document: Any) -> Any:
    found = values(path, document)
    if len(found) != 1:
        raise Unreadable(f"the response has nothing at {quoted(path, 80)}")
    return found[0]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unreadable("the answer is no text")
    return value
