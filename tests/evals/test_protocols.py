"""Protocols: what an agent is sent, and what of its response is the answer."""

import json
from typing import Any

import pytest

from turnout.evals.graders.answers import Answer, Call
from turnout.evals.protocols.talk import (
    Endpoint,
    Message,
    NotAsked,
    Protocol,
    Unreadable,
    answer,
    question,
)

HELLO = (Message("user", "Hello?"),)


def says(protocol: Protocol, document: Any, **endpoint: Any) -> Answer:
    return answer(Endpoint("http://agent", protocol, **endpoint), json.dumps(document))


def chat(content: Any, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content, **fields}}]}


TWO = (Message("user", "Hi"), Message("assistant", "Yes?"), Message("user", "Refund"))


def test_openai_s_protocols_carry_whole_conversations() -> None:
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "Refund"},
    ]
    body = question(Endpoint("u", Protocol.OPENAI_CHAT, model="m"), TWO, "1")
    assert body == {"model": "m", "messages": turns}
    body = question(Endpoint("u", Protocol.OPENAI_RESPONSES), TWO, "1")
    assert body == {"model": "agent", "input": turns, "store": False}


def test_other_protocols_carry_one_message() -> None:
    body = question(Endpoint("u", Protocol.HTTP, input_field="q"), HELLO, "1")
    assert body == {"q": "Hello?"}
    body = question(Endpoint("u", Protocol.A2A), HELLO, "7")
    assert (body["method"], body["params"]["message"]["parts"][0]["text"]) == (
        "message/send",
        "Hello?",
    )


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"total_tokens": 12}, 12),
        ({"total_tokens": True}, None),
        ({"total_tokens": -1}, None),
        ({"total_tokens": 10**10}, None),
        ({"total_tokens": "12"}, None),
        ([], None),
        (None, None),
    ],
)
def test_tokens_are_known_where_the_agent_tells_them(usage: Any, tokens: int | None) -> None:
    document = {**chat("Yes"), "usage": usage}
    assert says(Protocol.OPENAI_CHAT, document) == Answer("Yes", None, tokens)


CALL = {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"n": 1}'}}
LOOKED = (Call("look", {"n": 1}),)


@pytest.mark.parametrize(
    ("protocol", "document", "text", "calls"),
    [
        (Protocol.OPENAI_CHAT, chat("yes"), "yes", None),
        (Protocol.OPENAI_CHAT, chat("yes", tool_calls=[CALL]), "yes", LOOKED),
        (Protocol.OPENAI_CHAT, chat(None, tool_calls=[CALL]), "", LOOKED),
        (
            Protocol.OPENAI_RESPONSES,
            {
                "status": "completed",
                "output": [
                    {"type": "reasoning"},
                    {"type": "function_call", "name": "look", "arguments": '{"n": 1}'},
                    {"type": "message", "content": [{"type": "output_text", "text": "yes"}]},
                ],
            },
            "yes",
            LOOKED,
        ),
        (Protocol.A2A, {"result": {"kind": "message", "parts": [{"text": "yes"}]}}, "yes", None),
        (
            Protocol.A2A,
            {
                "result": {
                    "status": {"state": "completed"},
                    "artifacts": [{"parts": [{"text": "y"}, {"data": {}}, {"text": "es"}]}],
                }
            },
            "yes",
            None,
        ),
        (
            Protocol.A2A,
            {
                "result": {
                    "status": {
                        "state": "input-required",
                        "message": {"parts": [{"text": "Which order?"}]},
                    }
                }
            },
            "Which order?",
            None,
        ),
        (Protocol.HTTP, {"output": "yes"}, "yes", None),
    ],
)
def test_an_answer_is_read_from_its_place(
    protocol: Protocol, document: Any, text: str, calls: Any
) -> None:
    assert says(protocol, document) == Answer(text, calls)


def test_calls_are_read_from_the_place_that_an_agent_puts_them_at() -> None:
    steps = [{"tool": "look", "arguments": {"n": 1}}]
    document = {**chat("yes"), "steps": steps}
    assert says(Protocol.OPENAI_CHAT, document, calls_path="$.steps").calls == LOOKED


@pytest.mark.parametrize(
    ("protocol", "document"),
    [
        (Protocol.OPENAI_CHAT, {"choices": []}),
        (Protocol.OPENAI_CHAT, chat(None)),
        (Protocol.OPENAI_CHAT, chat("x", tool_calls=[{"function": {"arguments": "{}"}}])),
        (Protocol.OPENAI_CHAT, chat("x", tool_calls=[{"function": 7}])),
        (
            Protocol.OPENAI_CHAT,
            chat("x", tool_calls=[{"function": {"name": "a", "arguments": "["}}]),
        ),
        (Protocol.OPENAI_RESPONSES, {"status": "incomplete", "output": []}),
        (Protocol.OPENAI_RESPONSES, {"output": [{"type": "message", "content": []}]}),
        (Protocol.OPENAI_RESPONSES, []),
        (Protocol.A2A, {"error": {"code": -32603}}),
        (Protocol.A2A, {"result": {"status": {"state": "working"}}}),
        (Protocol.A2A, {"result": {"status": {"state": "failed"}}}),
        (Protocol.A2A, {"result": {"parts": []}}),
        (Protocol.HTTP, {"output": 7}),
        (Protocol.HTTP, {"answer": "yes"}),
    ],
)
def test_what_is_no_answer_is_unreadable_and_not_quoted(protocol: Protocol, document: Any) -> None:
    with pytest.raises(Unreadable):
        says(protocol, document)


def test_calls_that_are_no_list_are_unreadable() -> None:
    with pytest.raises(Unreadable, match="no list"):
        says(Protocol.HTTP, {"output": "x", "calls": {}}, calls_path="$.calls")


@pytest.mark.parametrize("protocol", [Protocol.A2A, Protocol.HTTP])
def test_a_conversation_is_not_cut_to_its_last_message(protocol: Protocol) -> None:
    with pytest.raises(NotAsked, match="one message, the task has 3"):
        question(Endpoint("u", protocol), TWO, "1")
