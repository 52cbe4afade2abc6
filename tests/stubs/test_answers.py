"""What a stub answers, and what is kept of the calls."""

import json
from typing import Any

import pytest

from turnout.api.tools import Tool
from turnout.errors import Invalid
from turnout.stubs import answers, records
from turnout.stubs.answers import Outcome, Said, stubs_of
from turnout.stubs.records import Records

SCHEMA = (
    '{"type": "object", "required": ["orderId"], "properties": {"orderId": {"type": "string"}}}'
)


def stub(name: str = "refunds.create", **fields: Any) -> Tool:
    made = {"name": name, "inputSchema": SCHEMA, "sideEffect": "Write", "server": "shop"}
    return Tool.model_validate(made | fields)


def answering(response: str) -> Tool:
    return stub(shadow={"mode": "Stub", "response": response})


BLOCKED = stub("wipe", shadow={"mode": "Block"})


def test_what_was_declared_is_answered() -> None:
    stubs = stubs_of([answering('{"refundId": "r1"}')])
    assert stubs.answer("refunds.create", {"orderId": "1"}) == Said(
        Outcome.ANSWERED, {"refundId": "r1"}
    )


def test_without_a_declared_answer_the_arguments_come_back_with_an_id() -> None:
    stubs, again = stubs_of([stub()]), stubs_of([stub()])
    first, second = (stubs.answer("refunds.create", {"orderId": "1"}).result for _ in range(2))
    assert first["orderId"] == "1"
    assert str(first["id"]).startswith("stub-")
    assert first["id"] != second["id"]
    assert again.answer("refunds.create", {"orderId": "1"}).result == first
    assert stubs.answer("refunds.create", {"orderId": "1", "id": "own"}).result["id"] == "own"


@pytest.mark.parametrize(
    ("name", "arguments", "outcome", "message"),
    [
        ("refunds.make", {}, Outcome.NO_SUCH_TOOL, "there is no such tool"),
        ("refunds.create", [], Outcome.INVALID_ARGUMENTS, "the arguments are no JSON object"),
        (
            "refunds.create",
            {"orderId": 7},
            Outcome.INVALID_ARGUMENTS,
            "the call does not obey the schema at /orderId",
        ),
        (
            "refunds.create",
            {},
            Outcome.INVALID_ARGUMENTS,
            "the call does not obey the schema at its root",
        ),
        ("wipe", {"orderId": "1"}, Outcome.BLOCKED, "this tool is not called in a trial"),
    ],
)
def test_other_calls_are_refused(
    name: str, arguments: object, outcome: Outcome, message: str
) -> None:
    said = stubs_of([stub(), BLOCKED]).answer(name, arguments)
    assert said == Said(outcome, {"error": outcome, "message": message})


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        (stub(inputSchema="{]"), "tool refunds.create: InvalidGrader: the schema is not JSON"),
        (stub(inputSchema='{"type": "nothing"}'), "is no JSON Schema 2020-12"),
        (answering("[]"), "tool refunds.create: shadow.response must be a JSON object"),
    ],
)
def test_stubs_that_cannot_answer_are_refused_at_once(tool: Tool, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        stubs_of([tool])
    assert message in refused.value.message


def test_a_tool_without_a_schema_takes_any_object() -> None:
    said = stubs_of([stub(inputSchema=None)]).answer("refunds.create", {"any": 1})
    assert said.outcome is Outcome.ANSWERED


def test_ids_begin_anew_where_too_many_calls_would_be_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "MOST_REMEMBERED", 2)
    stubs = stubs_of([stub()])
    ids = [stubs.answer("refunds.create", {"orderId": one}).result["id"] for one in "1121"]
    assert ids[0] == ids[3]
    assert len(set(ids)) == 3


def test_calls_are_counted_without_limit_and_kept_up_to_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "MOST_TOOLS", 2)
    lines: list[str] = []
    kept = Records(lines.append)
    said = Said(Outcome.ANSWERED, {})
    for number in range(1001):
        kept.keep("refunds.create", {"orderId": str(number)}, said)
    for name in ("b", "c\u202e", "d"):
        kept.keep(name, {"text": "\ud800" * 2000}, Said(Outcome.BLOCKED, {}))
    told = kept.to_wire()
    assert told["counts"] == {
        "(others)": {"Blocked": 2},
        "b": {"Blocked": 1},
        "refunds.create": {"Answered": 1001},
    }
    assert (len(told["calls"]), told["leftOut"]) == (1000, 4)
    assert told["calls"][-2]["tool"] == "c\\u202e"
    assert len(told["calls"][-1]["arguments"]) <= 1000
    assert len(lines) == 1004
    assert json.loads(lines[0]) == {
        "event": "stubbed",
        "tool": "refunds.create",
        "arguments": '{"orderId": "0"}',
        "outcome": "Answered",
    }
