"""Asks an OpenAI-compatible endpoint, streaming.

By the `openai` library: its retries, its reading of streams and its typed errors have met more
endpoints than code of ours would, for 25 MB of image and 0.4 s of start.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from openai import APIConnectionError, APIError, AsyncOpenAI
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from .content import BoundTool, Content, Message
from .documents import Model
from .policy import Usage

OnText = Callable[[str], Awaitable[None]]

_CHARACTERS_PER_TOKEN = 4
_RESERVED = {"messages", "model", "stream", "stream_options", "tools"}


class ModelError(Exception):
    """The endpoint gave no whole reply.

    Attributes:
        reason: CamelCase word: `ModelUnavailable` or `ModelRefused`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass
class ToolCall:
    """A call that the model wants made; the arguments are its own text."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Reply:
    """One reply, put together from its pieces."""

    text: str = ""
    calls: list[ToolCall] = field(default_factory=list)
    usage: Usage | None = None
    finished: bool = False

    def add(self, chunk: ChatCompletionChunk) -> str:
        """Take a piece in, and hand back the text in it."""
        if chunk.usage is not None:
            self.usage = Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self.finished = self.finished or choice.finish_reason is not None
        for piece in choice.delta.tool_calls or ():
            while len(self.calls) <= piece.index:
                self.calls.append(ToolCall())
            call = self.calls[piece.index]
            call.id += piece.id or ""
            if piece.function is not None:
                call.name += piece.function.name or ""
                call.arguments += piece.function.arguments or ""
        self.text += choice.delta.content or ""
        return choice.delta.content or ""

    def message(self) -> Message:
        """The reply as a message of the conversation."""
        message: Message = {"role": "assistant", "content": self.text or None}
        if self.calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in self.calls
            ]
        return message


class Endpoint:
    """The model that a version asks for."""

    def __init__(self, client: AsyncOpenAI, content: Content) -> None:
        self._client = client
        self._model = content.model.name
        self._parameters = parameters(content.model)
        if content.tools:
            self._parameters["tools"] = [_definition(tool) for tool in content.tools.values()]

    async def ask(self, messages: Sequence[Message], on_text: OnText) -> tuple[Reply, Usage]:
        """Put a conversation to the model; each piece of text is passed on as it comes.

        Raises:
            ModelError: The endpoint cannot be reached, refuses, or breaks off.
        """
        reply = Reply()
        try:
            stream = await self._client.chat.completions.create(
                model=self._model,
                messages=cast("list[ChatCompletionMessageParam]", messages),
                stream=True,
                stream_options={"include_usage": True},
                **self._parameters,
            )
            async with stream:
                async for chunk in stream:
                    if text := reply.add(chunk):
                        await on_text(text)
        except APIConnectionError as error:
            raise ModelError("ModelUnavailable", "the model's endpoint does not answer") from error
        except APIError as error:
            raise ModelError("ModelRefused", "the model's endpoint refused the task") from error
        if not reply.finished:
            raise ModelError("ModelUnavailable", "the model's endpoint broke off its reply")
        return reply, reply.usage or _estimate(messages, reply)


def parameters(model: Model) -> dict[str, Any]:
    """A version's model parameters as the request takes them; `extra` cannot replace our own."""
    chosen: dict[str, Any] = {}
    if model.temperature is not None:
        chosen["temperature"] = float(model.temperature)
    if model.max_tokens is not None:
        # OpenAI's own endpoint has renamed it; most compatible ones know the old name only.
        name = "max_completion_tokens" if model.provider == "openai" else "max_tokens"
        chosen[name] = model.max_tokens
    extra = {name: value for name, value in model.extra.items() if name not in _RESERVED}
    return {**chosen, "extra_body": extra} if extra else chosen


def _definition(bound: BoundTool) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": bound.wire_name,
            "description": bound.tool.description,
            "parameters": bound.tool.input_schema,
        },
    }


def _estimate(messages: Sequence[Message], reply: Reply) -> Usage:
    """For endpoints that do not count: a limit must hold there too."""
    read = len(json.dumps(list(messages)))
    written = len(json.dumps(reply.message()))
    return Usage(read // _CHARACTERS_PER_TOKEN, written // _CHARACTERS_PER_TOKEN)
