"""Graders: each rule by a table, what is refused before a run, and hostile answers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from turnout.api.graders import Grader
from turnout.errors import Invalid
from turnout.evals.graders.answers import Answer, Call, Grade
from turnout.evals.graders.grading import check, grade


def grader(**rule: Any) -> Grader:
    return Grader.model_validate({"name": "g", **rule})


def says(answer: str | Answer, **rule: Any) -> Grade:
    one = grader(**rule)
    check("t", [one])
    return grade([one], answer if isinstance(answer, Answer) else Answer(answer))


def refusal(**rule: Any) -> str:
    with pytest.raises(Invalid) as refused:
        check("refund", [grader(**rule)])
    assert refused.value.reason == "InvalidGrader"
    assert refused.value.message.startswith("task refund, grader g: ")
    return refused.value.message


@pytest.mark.parametrize(
    ("answer", "rule", "passed"),
    [
        ("yes", {"text": "yes"}, True),
        ("Yes", {"text": "yes"}, False),
        (" Yes  sir\n", {"text": "yes sir", "match": "Folded"}, True),
        ("STRASSE", {"text": "straße", "match": "Folded"}, True),
        ("no", {"text": "yes", "match": "Folded"}, False),
    ],
)
def test_exact_compares_the_whole_answer(
    *, answer: str, rule: dict[str, str], passed: bool
) -> None:
    assert says(answer, exact=rule).passed is passed


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"allOf": ["within 30", "days"]}, ""),
        ({"allOf": ["within 30", "weeks"]}, "g: allOf.1 is not in the answer"),
        ({"noneOf": ["weeks", "30"]}, "g: noneOf.1 is in the answer"),
        ({"allOf": ["Within"]}, "g: allOf.0 is not in the answer"),
        ({"allOf": ["Within"], "match": "Folded"}, ""),
    ],
)
def test_contains_names_the_text_by_its_place(rule: dict[str, Any], why: str) -> None:
    assert says("Send it back within 30 days.", contains=rule).why == why


@pytest.mark.parametrize(
    ("pattern", "passed"),
    [("order [0-9]{4}", True), ("^order", False), (r"\bdone\b", True), ("(?i)ORDER", True)],
)
def test_a_pattern_is_looked_for_anywhere(*, pattern: str, passed: bool) -> None:
    assert says("Your order 1042 is done.", regex={"pattern": pattern}).passed is passed


@pytest.mark.parametrize("pattern", ["(a", "(?=x)y", r"(a)\1", "(a{1000}){1000}", "(?<!a)b"])
def test_a_pattern_that_could_take_long_is_refused(pattern: str) -> None:
    assert "linear time" in refusal(regex={"pattern": pattern})


def test_a_pattern_that_stops_other_engines_is_answered_for_a_long_text() -> None:
    assert says("a" * 200_000 + "b", regex={"pattern": "^(a+)+$"}).passed is False


DOCUMENT = json.dumps(
    {
        "orderId": "1042",
        "amount": 142.67,
        "done": True,
        "order id": 7,
        "items": [{"sku": "a"}, {"sku": "b", "tags": ["x", "y"]}],
        "none": None,
    }
)


@pytest.mark.parametrize(
    ("path", "equals", "passed"),
    [
        ("$.orderId", "1042", True),
        ("$.orderId", "1043", False),
        ("$.amount", "142.670", True),
        ("$.done", "true", True),
        ("$.done", "1", False),
        ("$['order id']", "7.0", True),
        ('$["order id"]', "8", False),
        ("$.items[0].sku", "a", True),
        ("$.items[-1].sku", "b", True),
        ("$.items[2].sku", "c", False),
        ("$.items[*].sku", "b", True),
        ("$.items[*].sku", "c", False),
        ("$.items[1].tags", '[ "x","y" ]', True),
        ("$.*.sku", "a", False),
        ("$.none", "null", True),
        ("$.none", None, True),
        ("$.nothing", None, False),
        ("$.orderId[0]", None, False),
        ("$.items.sku", None, False),
        ("$", None, True),
    ],
)
def test_a_value_is_found_at_its_path(*, path: str, equals: str | None, passed: bool) -> None:
    assert says(DOCUMENT, jsonPath={"path": path, "equals": equals}).passed is passed


@pytest.mark.parametrize("path", ["$.a[", "$..a", "$.a[?(@.b)]", "$a", "$.a['b\\'c']", "$.[0]"])
def test_a_path_of_another_language_is_refused_with_its_place(path: str) -> None:
    assert "path is not understood at character" in refusal(jsonPath={"path": path})


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("Sure! {}", "g: the answer is not JSON"),
        ("NaN", "g: the answer is not JSON"),
        ("[" * 100_000, "g: the answer nests more than 64 deep"),
        ("", "g: the answer is not JSON"),
    ],
)
@pytest.mark.parametrize(
    "rule", [{"jsonPath": {"path": "$.a"}}, {"jsonSchema": {"document": "{}"}}]
)
def test_an_answer_that_is_no_json_fails(answer: str, why: str, rule: dict[str, Any]) -> None:
    assert says(answer, **rule) == Grade(passed=False, why=why)


SCHEMA = json.dumps(
    {
        "type": "object",
        "required": ["orderId"],
        "properties": {"orderId": {"$ref": "#/$defs/number"}},
        "$defs": {"number": {"type": "string", "pattern": "^[0-9]{4}$"}},
    }
)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ('{"orderId": "1042"}', ""),
        ('{"orderId": "104"}', "g: the answer does not obey the schema at /orderId"),
        ("{}", "g: the answer does not obey the schema at its root"),
    ],
)
def test_a_schema_names_the_place_and_quotes_nothing(answer: str, why: str) -> None:
    assert says(answer, jsonSchema={"document": SCHEMA}).why == why


@pytest.mark.parametrize(
    "document",
    [
        '{"type": "strng"}',
        '{"$ref": "http://127.0.0.1:9/x.json"}',
        '{"$ref": "file:///etc/passwd"}',
        '{"pattern": "(?=x)"}',
        "7 ",
        "{,}",
        "[" * 200,
    ],
)
def test_a_schema_that_is_none_or_lies_elsewhere_is_refused(document: str) -> None:
    assert "the schema" in refusal(jsonSchema={"document": document})


def test_a_schema_that_refers_to_itself_ends() -> None:
    assert says("7", jsonSchema={"document": '{"$ref": "#"}'}).passed is True


@pytest.mark.parametrize(
    ("answer", "rule", "why"),
    [
        ("It is 142.67 dollars.", {"value": "142.67"}, ""),
        ("It is 142.60 dollars.", {"value": "142.67"}, "g: the number is 0.07 off"),
        ("It is 142.60 dollars.", {"value": "142.67", "tolerance": "0.07"}, ""),
        ("1,042.5", {"value": "1042.5"}, ""),
        ("-3", {"value": "3", "tolerance": "6"}, ""),
        ("2 or 3", {"value": "2"}, "g: the answer has 2 numbers there, and one is asked for"),
        ("none", {"value": "2"}, "g: the answer has 0 numbers there, and one is asked for"),
        ("version v2", {"value": "2"}, "g: the answer has 0 numbers there, and one is asked for"),
        (DOCUMENT, {"value": "142.7", "tolerance": "0.1", "path": "$.amount"}, ""),
        (DOCUMENT, {"value": "1042", "path": "$.orderId"}, ""),
        (
            DOCUMENT,
            {"value": "1", "path": "$.done"},
            "g: the answer has 0 numbers there, and one is asked for",
        ),
        (
            DOCUMENT,
            {"value": "1", "path": "$.items[0].sku"},
            "g: the answer has 0 numbers there, and one is asked for",
        ),
        (
            '"Infinity"',
            {"value": "1", "path": "$"},
            "g: the answer has 0 numbers there, and one is asked for",
        ),
        ("x", {"value": "1", "path": "$"}, "g: the answer is not JSON"),
    ],
)
def test_a_number_is_near_what_it_should_be(answer: str, rule: dict[str, str], why: str) -> None:
    assert says(answer, number=rule).why == why


LOOKUP, REFUND = Call("lookup", {"orderId": "1042"}), Call("refund", {"orderId": "1042", "usd": 7})


def went(*calls: Call, **rule: Any) -> Grade:
    return says(Answer("done", calls), trajectory=rule)


def expected(*tools: str) -> list[dict[str, str]]:
    return [{"tool": tool} for tool in tools]


@pytest.mark.parametrize(
    ("order", "calls", "passed"),
    [
        ("Exact", (LOOKUP, REFUND), True),
        ("Exact", (REFUND, LOOKUP), False),
        ("Exact", (LOOKUP, REFUND, LOOKUP), False),
        ("InOrder", (LOOKUP, LOOKUP, REFUND), True),
        ("InOrder", (REFUND, LOOKUP), False),
        ("InOrder", (LOOKUP,), False),
        ("AnyOrder", (REFUND, LOOKUP, LOOKUP), True),
        ("AnyOrder", (REFUND, REFUND), False),
        ("Subset", (REFUND,), True),
        ("Subset", (), True),
        ("Subset", (REFUND, Call("delete", {})), False),
    ],
)
def test_calls_are_held_to_their_order(
    *, order: str, calls: tuple[Call, ...], passed: bool
) -> None:
    assert went(*calls, order=order, calls=expected("lookup", "refund")).passed is passed


def test_a_call_that_was_not_made_is_named() -> None:
    said = went(REFUND, LOOKUP, calls=expected("lookup", "refund")).why
    assert said == "g: call 2 (refund) was not made in its turn"
    said = went(LOOKUP, calls=expected("refund"), order="AnyOrder").why
    assert said == "g: call 1 (refund) was not made"
    said = went(Call("de\u202elete", {}), calls=expected("refund"), order="Subset").why
    assert said == "g: de\\u202elete was called as it is not listed"
    said = went(LOOKUP, calls=expected("refund"), order="Exact").why
    assert said == "g: call 1 is not refund as it was expected"


def test_each_call_counts_once_in_any_order_however_they_are_listed() -> None:
    broad, narrow = {"tool": "refund"}, {"tool": "refund", "arguments": '{"usd": 7}'}
    other = Call("refund", {"usd": 8})
    for listed in ([broad, narrow], [narrow, broad]):
        assert went(REFUND, other, calls=listed, order="AnyOrder").passed is True
        assert went(other, REFUND, calls=listed, order="AnyOrder").passed is True
        assert went(other, other, calls=listed, order="AnyOrder").passed is False


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        ('{"orderId": "1042"}', True),
        ('{"usd": 7.0}', True),
        ('{"usd": "7"}', False),
        ('{"usd": true}', False),
        ('{"currency": "usd"}', False),
        ("{}", True),
    ],
)
def test_arguments_are_compared_by_value(*, arguments: str, passed: bool) -> None:
    said = went(REFUND, calls=[{"tool": "refund", "arguments": arguments}])
    assert said.passed is passed


def test_one_is_not_true_among_arguments() -> None:
    call = Call("refund", {"usd": True})
    assert went(call, calls=[{"tool": "refund", "arguments": '{"usd": 1}'}]).passed is False


def test_arguments_obey_a_schema() -> None:
    cheap = {"tool": "refund", "argumentsSchema": '{"properties": {"usd": {"maximum": 6}}}'}
    assert went(REFUND, calls=[cheap]).passed is False
    assert went(Call("refund", {"usd": 5}), calls=[cheap]).passed is True


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"forbidden": ["refund"]}, "g: forbidden tool refund was called"),
        ({"mostCalls": 2}, "g: 3 calls were made, at most 2 may be"),
        ({"mostRepeats": 1}, "g: lookup was called 2 times with the same arguments"),
        ({"mostRepeats": 2, "mostCalls": 3, "forbidden": ["delete"]}, ""),
    ],
)
def test_forbidden_tools_steps_and_loops_are_told(rule: dict[str, Any], why: str) -> None:
    assert went(LOOKUP, REFUND, LOOKUP, **rule).why == why


def test_an_agent_without_calls_keeps_to_limits_and_one_that_does_not_tell_is_unknown() -> None:
    assert went(mostRepeats=1).passed is True
    assert went(order="Exact").passed is True
    silent = says(Answer("done"), trajectory={"mostCalls": 1})
    assert silent == Grade(None, "g: the agent does not tell which tools it called")


def test_an_agent_that_calls_without_end_is_in_a_loop() -> None:
    calls = tuple(Call("lookup", {"n": number}) for number in range(1001))
    assert "1001 calls were made" in went(*calls, mostRepeats=1).why


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"trajectory": {}}, "asks for nothing"),
        ({"trajectory": {"calls": [{"tool": "a", "arguments": "[1]"}]}}, "no JSON object"),
        ({"trajectory": {"calls": [{"tool": "a", "arguments": "{]"}]}}, "a: the text is not JSON"),
        ({"trajectory": {"calls": [{"tool": "a", "argumentsSchema": "{]"}]}}, "the schema"),
        ({"contains": {}}, "names no text"),
        ({"number": {"value": "1", "path": "$["}}, "path is not understood"),
    ],
)
def test_a_grader_that_cannot_grade_is_refused_by_its_task_and_name(
    rule: dict[str, Any], said: str
) -> None:
    assert said in refusal(**rule)


def test_a_task_needs_graders_with_names_of_their_own() -> None:
    with pytest.raises(Invalid, match="task refund has no grader"):
        check("refund", [])
    twice = [grader(exact={"text": "a"}), grader(exact={"text": "b"})]
    with pytest.raises(Invalid, match="two graders are called g"):
        check("refund", twice)


@pytest.mark.parametrize("rule", [{}, {"exact": {"text": "a"}, "regex": {"pattern": "a"}}])
def test_a_grader_has_exactly_one_rule(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="exactly one field besides name"):
        grader(**rule)


def test_a_failure_of_one_grader_outweighs_what_another_cannot_say() -> None:
    unknown = grader(name="way", trajectory={"mostCalls": 1})
    wrong = grader(name="text", exact={"text": "b"})
    assert grade([unknown, wrong], Answer("a")).why == "text: the answer is another text"
    assert grade([unknown], Answer("a")).passed is None
    assert grade([wrong], Answer("b")) == Grade(passed=True)


ALL = [
    grader(exact={"text": "a", "match": "Folded"}),
    grader(regex={"pattern": "a+b"}),
    grader(jsonPath={"path": "$[*].a", "equals": "1"}),
    grader(jsonSchema={"document": SCHEMA}),
    grader(number={"value": "1"}),
    grader(number={"value": "1", "path": "$.a[0]"}),
]


@given(
    text=st.text()
    | st.recursive(
        st.none() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    ).map(json.dumps)
)
def test_whatever_is_answered_each_grader_has_a_grade(text: str) -> None:
    for one in ALL:
        said = grade([one], Answer(text))
        assert said.passed is True or said.why
