"""What a stub answers, and what is kept of the calls."""

import json
from typing import Any

import pytest

from turnout.errors import Invalid
from turnout.stubs import answers, records
from turnout.stubs.answers import Outcome, Said, read_stubs
from turnout.stubs.records import Records

SCHEMA = (
    '{"type": "object", "required": ["orderId"], "properties": {"orderId": {"type": "string"}}}'
)


def stub(name: str = "refunds.create", mode: str = "Stub", **fields: Any) -> dict[str, Any]:
    made = {"name": name, "description": "", "inputSchema": SCHEMA, "mode": mode}
    return made | fields


def declared(*stubs: dict[str, Any]) -> str:
    return json.dumps({"tools": stubs or (stub(),)})


def test_what_was_declared_is_answered() -> None:
    stubs = read_stubs(declared(stub(response='{"refundId": "r1"}')))
    assert stubs.answer("refunds.create", {"orderId": "1"}) == Said(
        Outcome.ANSWERED, {"refundId": "r1"}
    )


def test_without_a_declared_answer_the_arguments_come_back_with_an_id() -> None:
    stubs, again = read_stubs(declared()), read_stubs(declared())
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
    said = read_stubs(declared(stub(), stub("wipe", "Block"))).answer(name, arguments)
    assert said == Said(outcome, {"error": outcome, "message": message})


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        declared(stub(inputSchema="{")),
        declared(stub(inputSchema='{"type": "nothing"}')),
        declared(stub(response="[]")),
        declared(stub(mode="Sometimes")),
    ],
)
def test_stubs_that_cannot_answer_are_refused_at_once(text: str) -> None:
    with pytest.raises(Invalid):
        read_stubs(text)


def test_ids_begin_anew_where_too_many_calls_would_be_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "MOST_REMEMBERED", 2)
    stubs = read_stubs(declared())
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
