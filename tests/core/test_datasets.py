"""Tasks out of files: what is read, and what is refused with the place and the limit."""

import csv
import io
import json
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from turnout.api.suite_task import MOST_TASKS, Role, SuiteTask, TaskFormat
from turnout.core.suites.datasets import MOST_BYTES, digest, read, read_all, together
from turnout.errors import Invalid

GRADERS = [{"name": "says-so", "exact": {"text": "yes"}}]
NAMED = "key golden of ConfigMap refunds"


def row(name: str = "refund", **fields: Any) -> dict[str, Any]:
    return {"id": name, "input": "Is it?", "graders": deepcopy(GRADERS), **fields}


def task(name: str = "refund", **fields: Any) -> SuiteTask:
    return SuiteTask.model_validate(row(name, **fields))


def jsonl(*rows: Any) -> str:
    return "\n".join(json.dumps(one) for one in rows)


def problem(form: TaskFormat, text: str) -> str:
    with pytest.raises(Invalid) as refused:
        read(form, text, NAMED)
    assert refused.value.reason == "InvalidTasks"
    assert len(refused.value.message) < 600
    assert refused.value.message.startswith(NAMED)
    return refused.value.message.removeprefix(NAMED).removeprefix(":").strip()


YAML = """\
# golden tasks
- id: refund
  input: "Is it?"
  mustPass: true
  labels: {topic: no, since: 2026-01-02}
  graders:
  - name: amount
    number: {value: '142.67'}
  - {name: way, trajectory: {mostCalls: 6}}
"""


def test_yaml_is_read_as_what_it_looks_like() -> None:
    (found,) = read(TaskFormat.YAML, YAML, NAMED)
    assert found.labels == {"topic": "no", "since": "2026-01-02"}
    assert found.must_pass
    assert [one.name for one in found.graders] == ["amount", "way"]
    assert found.graders[1].trajectory is not None
    assert found.graders[1].trajectory.most_calls == 6


def test_csv_has_columns_for_what_is_text_and_json_for_the_rest() -> None:
    text = (
        "id,input,exact,contains,regex,mustPass,labels,graders\r\n"
        'a,"Two\nlines, ""quoted""",yes,,,true,"{""topic"": ""x""}",\r\n'
        'b,Hello?,,wel,^w,,,"[{""name"": ""way"", ""trajectory"": {""mostCalls"": 2}}]"\r\n'
        "\r\n"
    )
    one, other = read(TaskFormat.CSV, "\ufeff" + text, NAMED)
    assert one.turns[0].text == 'Two\nlines, "quoted"'
    assert (one.must_pass, one.labels) == (True, {"topic": "x"})
    assert [grader.name for grader in one.graders] == ["exact"]
    assert [grader.name for grader in other.graders] == ["contains", "regex", "way"]
    assert other.graders[0].contains is not None
    assert other.graders[0].contains.all_of == ("wel",)


def test_a_conversation_is_given_as_it_is_and_an_input_as_one_message() -> None:
    turns = [{"role": role, "text": "Ünï\u2028🙂"} for role in ("User", "Assistant", "User")]
    asked = {"id": "a", "conversation": turns, "graders": GRADERS}
    one, other = read(TaskFormat.JSONL, jsonl(asked) + "\n\n" + jsonl(row("b")) + "\n", NAMED)
    assert [turn.role for turn in one.turns] == [Role.USER, Role.ASSISTANT, Role.USER]
    assert one.turns[0].text == "Ünï\u2028🙂"
    assert [(turn.role, turn.text) for turn in other.turns] == [(Role.USER, "Is it?")]


DEEP = '{"id": "a", "input": ' + "[" * 100_000 + "]" * 100_000 + "}"
ONE = "- {id: a, input: b, graders: [{name: g, exact: {text: c}}]}"
NESTED = "- id: a\n  input: " + "[" * 100_000


@pytest.mark.parametrize(
    ("form", "text", "message"),
    [
        (TaskFormat.JSONL, "", "has no tasks"),
        (TaskFormat.JSONL, "\n \n", "has no tasks"),
        (TaskFormat.JSONL, "x" * (MOST_BYTES + 1), "has 1048577 bytes, at most 1048576 are read"),
        (TaskFormat.JSONL, "\u00fc" * MOST_BYTES, "has 2097152 bytes, at most 1048576 are read"),
        (TaskFormat.JSONL, "\n{]", "line 2 is not JSON at column 2: Expecting property name"),
        (TaskFormat.JSONL, DEEP, "line 1 nests 100001 deep, at most 64 are read"),
        (TaskFormat.JSONL, '{"id": "a", "id": "a"}', "line 1: key id stands twice"),
        (TaskFormat.JSONL, '{"id": NaN}', "line 1: NaN is no number"),
        (TaskFormat.JSONL, '{"id": 1e999}', "line 1: a number is larger than a double"),
        (TaskFormat.JSONL, '{"id": 1.5}', "line 1: id: Input should be a valid string"),
        (TaskFormat.JSONL, '{"id": ' + "1" * 5000 + "}", "line 1: Exceeds the limit"),
        (TaskFormat.JSONL, "[]", "line 1: Input should be an object"),
        (TaskFormat.JSONL, '"' + "x" * 9000 + '"', "line 1: Input should be an object"),
        (TaskFormat.JSONL, jsonl(row(mustpass=True)), "line 1, task refund: mustpass is no field"),
        (TaskFormat.JSONL, jsonl(row(must_pass=True)), "line 1, task refund: must_pass is no"),
        (TaskFormat.JSONL, jsonl(row(mustPass=1)), "mustPass: Input should be a valid boolean"),
        (TaskFormat.JSONL, jsonl(row(input="\ud800")), "half of a character"),
        (TaskFormat.JSONL, jsonl(row(input="x" * 32_769)), "at most 32768 characters"),
        (TaskFormat.JSONL, jsonl(row("x" * 64)), "id: String should have at most 63 characters"),
        (TaskFormat.JSONL, jsonl(row("über")), "task über: id: String should match pattern"),
        (TaskFormat.JSONL, jsonl(row("a\u202eb")), "task a\\u202eb: id: String should match"),
        (TaskFormat.JSONL, jsonl(row() | {"id": 7}), "line 1: id: Input should be a valid string"),
        (TaskFormat.JSONL, jsonl(row(graders=[])), "graders: Tuple should have at least 1 item"),
        (TaskFormat.JSONL, jsonl(row(graders=GRADERS * 9)), "graders: Tuple should have at most 8"),
        (TaskFormat.JSONL, jsonl(row(graders=GRADERS * 2)), "two graders have one name"),
        (TaskFormat.JSONL, jsonl(row(), row("b"), row()), "line 3: task refund stands at line 1"),
        (TaskFormat.YAML, "", "it is empty"),
        (TaskFormat.YAML, "# nothing\n", "it is empty"),
        (TaskFormat.YAML, "[]", "has no tasks"),
        (TaskFormat.YAML, "tasks: []", "line 1: a list is wanted here"),
        (TaskFormat.YAML, ONE + "\n---\n- b", "line 2: a second document begins, one is read"),
        (TaskFormat.YAML, "- 'a\n- b", "line 2 is not YAML: found unexpected end of stream"),
        (TaskFormat.YAML, "%YAML 3.0\n--- []", "line 1 is not YAML"),
        (TaskFormat.YAML, "- \x00", "characters that YAML does not take"),
        (TaskFormat.YAML, "- \ud800", "characters that YAML does not take"),
        (TaskFormat.YAML, NESTED, "line 2: it nests too deep"),
        (TaskFormat.YAML, "- " * 200_000, "line 1: it nests too deep"),
        (TaskFormat.YAML, "- id: &a b", "line 1: anchors, aliases and tags are not read"),
        (TaskFormat.YAML, ONE + "\n- *a", "line 2: anchors, aliases and tags are not read"),
        (TaskFormat.YAML, "- {&a id: b}", "line 1: anchors, aliases and tags are not read"),
        (TaskFormat.YAML, "- !!python/object:os.system x", "line 1: anchors, aliases and tags"),
        (TaskFormat.YAML, "- ? [a]\n  : b", "line 1: a key is no text"),
        (TaskFormat.YAML, "\n- id: a\n  id: b", "line 2: key id stands twice in one object"),
        (TaskFormat.YAML, "- 1e999", "line 1: a number is too large"),
        (TaskFormat.YAML, "- " + "1" * 5000, "line 1: a number is too large"),
        (TaskFormat.YAML, "- id: 1042\n", "line 1: id: Input should be a valid string"),
        (TaskFormat.YAML, "- id: a\n  mustPass: yes", "mustPass: Input should be a valid boolean"),
        (TaskFormat.YAML, "- id: a\n  labels: ~", "labels: Input should be an object"),
        (TaskFormat.YAML, "- id: a\n  graders: .inf", "graders: Input should be a valid array"),
        (TaskFormat.CSV, "", "has no tasks"),
        (TaskFormat.CSV, "id,input,exact\n", "has no tasks"),
        (TaskFormat.CSV, "id,output\n", "line 1: column output is none of id, input"),
        (TaskFormat.CSV, "id,id\n", "line 1: column id stands twice"),
        (TaskFormat.CSV, "id,input\na,b\nc\n", "line 2, task a: graders: Field required"),
        (TaskFormat.CSV, "id,input,exact\na,b,c\nd\n", "line 3 has 1 cells, the header has 3"),
        (TaskFormat.CSV, 'id,input\na,"b', "line 2 is not CSV: unexpected end of data"),
        (TaskFormat.CSV, "id,input\na," + "b" * 200_000, "line 2 is not CSV: field larger"),
        (TaskFormat.CSV, "id,labels\na,{\n", "line 2, column labels is not JSON"),
        (TaskFormat.CSV, "id,exact,graders\na,b,7\n", "graders: Input should be a valid array"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    form: TaskFormat, text: str, message: str
) -> None:
    assert message in problem(form, text)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"conversation": [{"role": "User", "text": "a"}]}, "exactly one of input and conversa"),
        ({"labels": {"x" * 64: "y"}}, "keys of labels have at most 63 characters"),
        ({"input": None}, "exactly one of input and conversation"),
        (
            {"input": None, "conversation": [{"role": "Assistant", "text": "a"}]},
            "must be the user's",
        ),
    ],
)
def test_a_task_is_asked_by_one_input_or_one_conversation(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        task(**fields)


def test_two_thousand_tasks_are_read_and_one_more_is_refused_at_its_line() -> None:
    rows = [row(f"task-{number}") for number in range(MOST_TASKS + 1)]
    assert len(read(TaskFormat.JSONL, jsonl(*rows[:-1]), NAMED)) == MOST_TASKS
    most = problem(TaskFormat.JSONL, jsonl(*rows))
    assert most == f"line {MOST_TASKS + 1}: at most {MOST_TASKS} tasks are read"


def test_files_are_one_suite() -> None:
    one, other = (TaskFormat.JSONL, jsonl(row("a")), "one"), (TaskFormat.JSONL, jsonl(row()), "b")
    assert [found.id for found in read_all([one, other])] == ["a", "refund"]
    with pytest.raises(Invalid, match="task a stands twice in the suite"):
        read_all([one, one])
    with pytest.raises(Invalid, match="has 2001 tasks, at most 2000 are read"):
        together([[task().model_copy(update={"id": f"t{number}"}) for number in range(2001)]])
    with pytest.raises(Invalid, match="the files have 9437184 bytes, at most 8388608 are read"):
        read_all([(TaskFormat.CSV, "x" * MOST_BYTES, "one")] * 9)


def test_the_digest_is_of_what_is_asked_and_held_to() -> None:
    turns = [{"role": "User", "text": "Is it?"}]
    written = [{"name": "says-so", "exact": {"text": "yes", "match": "Literal"}}]
    tasks = [task("a"), task("b")]
    same = [
        task("b", labels={"x": "y"}, mustPass=False),
        task("a", input=None, conversation=turns, graders=written),
    ]
    assert digest(tasks) == digest(same)
    assert digest(tasks) == (
        "sha256:09ca1457ee6093bcf5509127e9e57a9dba274519204ae93f9c52bfd61d905549"
    )
    others = [
        digest([task("a", input="Was it?"), task("b")]),
        digest([task("a", mustPass=True), task("b")]),
        digest([task("a", graders=[{"name": "x", "exact": {"text": "no"}}]), task("b")]),
        digest([task("a")]),
        digest(tasks, {"model": "x"}),
        digest(tasks, {"model": "y"}),
    ]
    assert len({digest(tasks), *others}) == 7


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(lambda text: f"t{text}")
ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,20}", fullmatch=True)
rows = st.lists(
    st.builds(
        lambda name, text, label, must: row(name, input=text, labels={"l": label}, mustPass=must),
        ids,
        texts,
        texts,
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one["id"],
)


def in_csv(tasks: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["id", "input", "labels", "mustPass", "graders"])
    writer.writeheader()
    for one in tasks:
        writer.writerow({k: v if isinstance(v, str) else json.dumps(v) for k, v in one.items()})
    return out.getvalue()


@settings(max_examples=50)
@given(rows)
def test_tasks_are_the_same_whatever_they_are_written_in(tasks: list[dict[str, Any]]) -> None:
    expected = tuple(SuiteTask.model_validate(one) for one in tasks)
    assert read(TaskFormat.JSONL, jsonl(*tasks), NAMED) == expected
    assert read(TaskFormat.YAML, yaml.safe_dump(tasks), NAMED) == expected
    assert read(TaskFormat.CSV, in_csv(tasks), NAMED) == expected


broken = st.text(max_size=60) | st.text("[]{}\",:-&*!|>?%@ \n\\'ai0.e", max_size=60)


@settings(max_examples=300)
@given(st.sampled_from(list(TaskFormat)), broken)
def test_no_text_makes_anything_but_tasks_or_a_refusal(form: TaskFormat, text: str) -> None:
    found: tuple[SuiteTask, ...] = ()
    with suppress(Invalid):
        found = read(form, text, NAMED)
    assert len({one.id for one in found}) == len(found)
