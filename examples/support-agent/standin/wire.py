"""Chat completions as they go over the wire, whole and in pieces."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .chance import seed
from .mind import Answer, Call

_PIECE = 24
"""Characters a piece of a streamed answer."""
_CHARACTERS_PER_TOKEN = 4

Document = dict[str, Any]


def usage(request: Mapping[str, Any], move: Call | Answer, thoughts: int) -> Document:
    """Tokens read and written; thoughts are written too, but never sent."""
    read = len(json.dumps([request.get("messages"), request.get("tools")]))
    written = len(move.text if isinstance(move, Answer) else json.dumps(dict(move.arguments)))
    prompt = read // _CHARACTERS_PER_TOKEN
    completion = written // _CHARACTERS_PER_TOKEN + 1 + thoughts
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def completion(request: Mapping[str, Any], move: Call | Answer, spent: Document) -> Document:
    """The answer to a request that does not stream."""
    message: Document = {"role": "assistant", "content": None}
    match move:
        case Answer(text):
            message["content"] = text
        case Call():
            message["tool_calls"] = [_tool_call(request, move)]
    choice = {"index": 0, "message": message, "finish_reason": _finish(move)}
    return {**_head(request, "chat.completion"), "choices": [choice], "usage": spent}


def chunks(request: Mapping[str, Any], move: Call | Answer, spent: Document) -> Iterator[Document]:
    """The pieces of an answer to a request that streams."""
    head = _head(request, "chat.completion.chunk")
    for delta in _deltas(request, move):
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": _finish(move)}]}
    if (request.get("stream_options") or {}).get("include_usage"):
        yield {**head, "choices": [], "usage": spent}


def event(document: Document) -> bytes:
    """A document as a server-sent event."""
    return f"data: {json.dumps(document)}\n\n".encode()


END = b"data: [DONE]\n\n"


def error(message: str) -> Document:
    """A refusal, in the form that clients of chat completions expect."""
    return {"error": {"message": message, "type": "invalid_request_error", "code": None}}


def _deltas(request: Mapping[str, Any], move: Call | Answer) -> Iterator[Document]:
    yield {"role": "assistant", "content": None if isinstance(move, Call) else ""}
    match move:
        case Answer(text):
            for start in range(0, len(text), _PIECE):
                yield {"content": text[start : start + _PIECE]}
        case Call():
            call = _tool_call(request, move)
            arguments = call["function"]["arguments"]
            call["function"]["arguments"] = ""
            yield {"tool_calls": [{"index": 0, **call}]}
            yield {"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]}


def _head(request: Mapping[str, Any], kind: str) -> Document:
    name = seed(json.dumps(request.get("messages")))[:24]
    model = str(request.get("model") or "standin")
    return {"id": f"chatcmpl-{name}", "object": kind, "created": 0, "model": model}


def _tool_call(request: Mapping[str, Any], call: Call) -> Document:
    arguments = json.dumps(dict(call.arguments))
    name = seed(json.dumps(request.get("messages")), call.tool)[:16]
    function = {"name": call.tool, "arguments": arguments}
    return {"id": f"call_{name}", "type": "function", "function": function}


def _finish(move: Call | Answer) -> str:
    return "tool_calls" if isinstance(move, Call) else "stop"
