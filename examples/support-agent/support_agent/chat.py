"""The form of what callers send and get: OpenAI's chat completions, with the task's end added."""

import json
import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .content import Message
from .outcome import Outcome, Result


class BadRequestError(Exception):
    """The request cannot be used; the message says why, for the caller."""


class TextPart(BaseModel):
    """A piece of a message that comes in pieces."""

    type: Literal["text"]
    text: str


class Turn(BaseModel):
    """What caller or agent said. System prompts are the version's alone."""

    role: Literal["user", "assistant"]
    content: str | list[TextPart]

    def message(self) -> Message:
        """In the form that the model's endpoint takes."""
        if isinstance(self.content, str):
            return {"role": self.role, "content": self.content}
        return {"role": self.role, "content": "".join(part.text for part in self.content)}


class ChatRequest(BaseModel):
    """A request; the caller's model and parameters are ignored, for they are the version's."""

    model_config = ConfigDict(extra="ignore")

    messages: list[Turn] = Field(min_length=1, max_length=200)
    stream: bool = False


def parse(body: bytes) -> ChatRequest:
    """Read a request.

    Raises:
        BadRequestError: It is not one.
    """
    try:
        request = ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadRequestError(f"{place or 'body'}: {first['msg']}") from None
    if request.messages[-1].role != "user":
        raise BadRequestError("messages: the last one must be the user's")
    return request


def completion(name: str, model: str, result: Result) -> dict[str, Any]:
    """The whole answer."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": result.text},
        "finish_reason": _finish(result),
    }
    head = _head(name, model, "chat.completion")
    return {**head, "choices": [choice], "usage": _usage(result), "task": _task(result)}


def piece(name: str, model: str, text: str) -> bytes:
    """A part of the text, as an event."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return event({**_head(name, model, "chat.completion.chunk"), "choices": [choice]})


def last_piece(name: str, model: str, result: Result) -> bytes:
    """The end of a stream, as events."""
    choice = {"index": 0, "delta": {}, "finish_reason": _finish(result)}
    head = _head(name, model, "chat.completion.chunk")
    end = {**head, "choices": [choice], "usage": _usage(result), "task": _task(result)}
    return event(end) + b"data: [DONE]\n\n"


def event(document: dict[str, Any]) -> bytes:
    """A document as a server-sent event."""
    return f"data: {json.dumps(document)}\n\n".encode()


def error(kind: str, message: str) -> dict[str, Any]:
    """A refusal in the form that clients expect."""
    return {"error": {"type": kind, "message": message}}


def _head(name: str, model: str, kind: str) -> dict[str, Any]:
    return {"id": name, "object": kind, "created": int(time.time()), "model": model}


def _finish(result: Result) -> str:
    return "length" if result.outcome is Outcome.LIMITED else "stop"


def _usage(result: Result) -> dict[str, int]:
    return {
        "prompt_tokens": result.input_tokens,
        "completion_tokens": result.output_tokens,
        "total_tokens": result.input_tokens + result.output_tokens,
    }


def _task(result: Result) -> dict[str, Any]:
    return {
        "outcome": result.outcome,
        "reason": result.reason,
        "steps": result.steps,
        "toolCalls": result.tool_calls,
        "calls": [{"tool": one.name, "arguments": one.arguments} for one in result.calls],
    }
