"""Result files of evaluation tools: real ones, and each trap and hostile input."""

import json
from pathlib import Path
from typing import Any

import pytest

from turnout.core.suites.counts import Trials, pass_rate
from turnout.errors import Invalid
from turnout.evals.results import bounds
from turnout.evals.results.bounds import DEEPEST, MOST_BYTES
from turnout.evals.results.formats import Format
from turnout.evals.results.reading import Reading, read

DATA = Path(__file__).parent / "data"
CONTAINS = {"contains": 1.0}


def counts(how: Format, text: str | bytes, **thresholds: float) -> dict[str, Trials]:
    content = text if isinstance(text, bytes) else text.encode()
    return read(content, Reading(how, thresholds))


def why(how: Format, text: str | bytes, **thresholds: float) -> str:
    with pytest.raises(Invalid) as refusal:
        counts(how, text, **thresholds)
    assert refusal.value.reason == "UnparsableResult"
    return refusal.value.message


def asked(passed: int, failed: int, errors: int) -> dict[str, Trials]:
    always = {"refund-broken", "replace-late", "not-entitled", "shipping"}
    return dict.fromkeys(always, Trials(3)) | {
        "wrong-hope": Trials(0, 3),
        "flaky": Trials(passed, failed),
        "down": Trials(0, 0, errors),
    }


def real(name: str) -> dict[str, Any]:
    return dict(json.loads((DATA / name).read_text()))


def test_promptfoo_s_own_sums_are_ours() -> None:
    found = counts(Format.PROMPTFOO, (DATA / "promptfoo.json").read_bytes())
    assert found == asked(1, 2, 3)
    stats = real("promptfoo.json")["results"]["stats"]
    assert sum(one.passed for one in found.values()) == stats["successes"]
    assert sum(one.failed for one in found.values()) == stats["failures"]
    assert sum(one.errors for one in found.values()) == stats["errors"]


def test_promptfoo_s_junit_report_tells_the_same() -> None:
    found = counts(Format.JUNIT, (DATA / "promptfoo.junit.xml").read_bytes())
    prefix = "[openai:chat:support] prompt 1."
    assert {name.removeprefix(prefix): one for name, one in found.items()} == asked(1, 2, 3)


def test_deepeval_s_own_sums_are_ours() -> None:
    found = counts(Format.DEEPEVAL, (DATA / "deepeval.json").read_bytes())
    assert found == asked(1, 2, 3)
    (scores,) = real("deepeval.json")["metricsScores"]
    assert sum(one.passed for one in found.values()) == scores["passes"]
    assert sum(one.failed for one in found.values()) == scores["fails"]
    assert sum(one.errors for one in found.values()) == scores["errors"]


def test_inspect_s_own_accuracy_is_our_pass_rate() -> None:
    found = counts(Format.INSPECT_AI, (DATA / "inspect.json").read_bytes())
    assert found == asked(1, 2, 3)
    rate = pass_rate(list(found.values()))
    assert rate is not None
    (score,) = real("inspect.json")["results"]["scores"]
    assert rate.value == pytest.approx(score["metrics"]["accuracy"]["value"])


def test_ragas_scores_become_trials_and_nan_an_error() -> None:
    found = counts(Format.RAGAS, (DATA / "ragas.jsonl").read_bytes(), **CONTAINS)
    assert found == asked(2, 1, 3)


def test_pytest_s_repeats_are_trials_and_what_it_skips_is_none() -> None:
    found = counts(Format.JUNIT, (DATA / "pytest.xml").read_bytes())
    assert found.pop("pytest_suite.test_later") == Trials()
    plain = {name.split("[")[1].removesuffix("]"): one for name, one in found.items()}
    assert plain == asked(2, 1, 3)


def junit(*cases: str, head: str = "") -> str:
    return f"{head}<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>"


def case(name: str, inner: str = "", suite: str = "t") -> str:
    return f'<testcase classname="{suite}" name="{name}">{inner}</testcase>'


def test_a_parameter_that_looks_like_a_repeat_stays_part_of_the_name() -> None:
    found = counts(Format.JUNIT, junit(case("add[2-5]"), case("add[1-3]"), case("add[3-3]")))
    assert set(found) == {"t.add[2-5]", "t.add[1-3]", "t.add[3-3]"}
    mixed = junit(*(case(f"add[x-{n}-2]") for n in (1, 2)), case("add[x-1-3]"))
    assert set(counts(Format.JUNIT, mixed)) == {"t.add[x-1-2]", "t.add[x-2-2]", "t.add[x-1-3]"}


def test_a_case_that_failed_and_met_an_error_is_an_error() -> None:
    found = counts(Format.JUNIT, junit(case("a", "<failure/><error/>"), case("a"), case("b")))
    assert found == {"t.a": Trials(1, 0, 1), "t.b": Trials(1)}


def test_a_case_without_a_class_is_named_by_its_name_alone() -> None:
    assert counts(Format.JUNIT, '<testsuite><testcase name="a"/></testsuite>') == {"a": Trials(1)}


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize("head", [BOMB, OUTSIDE, "<!DOCTYPE testsuites>"])
def test_a_document_type_is_refused_before_anything_is_expanded(head: str) -> None:
    assert "document type" in why(Format.JUNIT, junit(case("&b;"), head=head))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html/>", "no JUnit report"),
        ("<testsuite><testcase", "line 1, column 12"),
        ("<testsuite><testcase/></testsuite>", "test case 1 has no name"),
        ("<testsuite>" + "<a>" * DEEPEST + "</a>" * DEEPEST + "</testsuite>", "nests more than"),
        ("<testsuite/>", "no results"),
        (junit(case("&a;")), "undefined entity"),
    ],
)
def test_what_is_no_report_is_refused_with_its_place(text: str, said: str) -> None:
    assert said in why(Format.JUNIT, text)


def test_more_cases_than_are_read_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnout.evals.results.junit.MOST_CASES", 2)
    assert "more than 2 test cases" in why(Format.JUNIT, junit(*map(case, "abc")))


def fooed(*rows: dict[str, Any], version: int = 3) -> str:
    return json.dumps({"results": {"version": version, "results": rows}})


def foo(name: str = "a", *, reason: int = 0, place: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "testIdx": place,
        "testCase": {"description": name, "vars": {"q": name}},
        "provider": {"id": "p", "label": ""},
        "success": reason == 0,
        "failureReason": reason,
        **fields,
    }


def test_promptfoo_s_index_names_no_task_because_each_repeat_has_its_own() -> None:
    rows = [foo(place=0), foo(place=1, reason=1), foo(place=2, reason=2)]
    assert counts(Format.PROMPTFOO, fooed(*rows)) == {"a": Trials(1, 1, 1)}


def test_a_promptfoo_test_without_a_description_is_named_by_its_variables() -> None:
    rows = [foo(testCase={"vars": {"q": word}}) for word in ("x", "y", "x")]
    found = counts(Format.PROMPTFOO, fooed(*rows))
    assert sorted(one.passed for one in found.values()) == [1, 2]
    assert all(name.startswith("vars-") for name in found)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([foo(response={"cached": True})], "out of a cache"),
        ([foo(), foo(provider={"id": "q"})], "2 prompts or providers"),
        ([foo(), foo(promptIdx=1)], "2 prompts or providers"),
        ([foo(), foo(testCase={"description": "a", "vars": {}})], "different vars"),
        ([foo(success="yes")], "results.results.0.success"),
        ([foo(failureReason=7)], "results.results.0.failureReason"),
        ([foo(testCase={"vars": {"q": float("nan")}})], "results.0: vars"),
    ],
)
def test_what_promptfoo_ran_otherwise_is_refused(rows: list[dict[str, Any]], said: str) -> None:
    assert said in why(Format.PROMPTFOO, fooed(*rows))


def test_another_version_of_promptfoo_s_file_is_refused() -> None:
    assert "results.version is 4" in why(Format.PROMPTFOO, fooed(foo(), version=4))


def deep(*cases: dict[str, Any], **sums: int) -> str:
    return json.dumps({"testCases": cases, **sums})


def test_a_flaky_metric_of_deepeval_decides_nothing() -> None:
    metrics = [{"name": "m", "flaky": True, "error": "judge"}, {"name": "n", "success": True}]
    found = counts(
        Format.DEEPEVAL,
        deep(
            {"name": "a", "success": True, "metricsData": metrics},
            {"name": "a", "success": None, "metricsData": None},
            {"name": "b", "success": False, "metricsData": [{"name": "n", "error": "down"}]},
        ),
    )
    assert found == {"a": Trials(1, 0, 1), "b": Trials(0, 0, 1)}


def test_conversations_of_deepeval_are_trials_too() -> None:
    text = json.dumps(
        {"testCases": [], "conversationalTestCases": [{"name": "a", "success": True}]}
    )
    assert counts(Format.DEEPEVAL, text) == {"a": Trials(1)}


def test_a_deepeval_run_with_fewer_cases_than_its_sums_is_refused() -> None:
    said = why(Format.DEEPEVAL, deep({"name": "a", "success": True}, testPassed=2, testFailed=0))
    assert "tells of 2 test cases and has 1" in said


@pytest.mark.parametrize("score", ["NaN", "Infinity", "null", '"1"', "true", "-Infinity"])
def test_a_score_that_is_no_number_is_an_error_and_never_zero(score: str) -> None:
    found = counts(Format.RAGAS, f'{{"id": 7, "m": {score}}}\n{{"id": 7, "m": 1}}', m=0.5)
    assert found == {"7": Trials(1, 0, 1)}


def test_ragas_rows_pass_where_all_named_metrics_reach_their_thresholds() -> None:
    rows = [{"user_input": "x", "m": 0.5, "n": 1}, {"user_input": "x", "m": 0.4, "n": 1}]
    found = counts(Format.RAGAS, json.dumps([*rows, {"user_input": "y", "m": 1}]), m=0.5, n=1)
    assert list(found.values()) == [Trials(1, 1), Trials(0, 0, 1)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"id": "a"}]', "no row has the metric m"),
        ('[1, {"m": 1}]', "row 0 is no object"),
        ('[{"m": 1}]', "row 0 has neither an id nor a user_input"),
        ("[]", "no row has the metric m"),
    ],
)
def test_rows_that_are_no_scores_are_refused(text: str, said: str) -> None:
    assert said in why(Format.RAGAS, text, m=1)


def test_scores_without_a_threshold_pass_nothing() -> None:
    assert "none is given" in why(Format.RAGAS, '[{"id": "a", "m": 1}]')


def log(*samples: dict[str, Any], status: str = "success") -> str:
    return json.dumps({"status": status, "samples": samples})


def sample(value: Any, epoch: int = 1, **fields: Any) -> dict[str, Any]:
    return {"id": "a", "epoch": epoch, "scores": {"s": {"value": value}}, **fields}


@pytest.mark.parametrize(
    ("value", "trials"),
    [
        ("C", Trials(1)),
        ("I", Trials(0, 1)),
        ("P", Trials(0, 1)),
        ("N", Trials(0, 1)),
        (True, Trials(1)),
        (False, Trials(0, 1)),
        (1, Trials(1)),
        (0.99, Trials(0, 1)),
        (float("nan"), Trials(0, 0, 1)),
        ("excellent", Trials(0, 0, 1)),
        ([1], Trials(0, 0, 1)),
    ],
)
def test_a_score_of_inspect_is_full_marks_or_none(value: Any, trials: Trials) -> None:
    assert counts(Format.INSPECT_AI, log(sample(value))) == {"a": trials}


def test_a_sample_of_inspect_that_met_an_error_or_a_limit_is_open() -> None:
    broke = sample("C", 1, error={"message": "x"})
    spent = sample("C", 2, limit={"type": "token"})
    both = {"s": {"value": "C"}, "t": {"value": "I"}}
    text = log(broke, spent, sample("C", 3, scores=None), sample("C", 4, scores=both))
    assert counts(Format.INSPECT_AI, text) == {"a": Trials(0, 1, 3)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (log(sample("C"), status="cancelled"), "its status is cancelled"),
        ('{"status": "success"}', "no samples"),
        (log(sample("C"), sample("I")), "stands twice"),
        (log({"id": "a", "epoch": "1"}), "samples.0.epoch"),
    ],
)
def test_a_log_that_is_not_whole_is_refused(text: str, said: str) -> None:
    assert said in why(Format.INSPECT_AI, text)


def test_plain_lines_are_trials_or_tasks() -> None:
    trials = (
        '{"id": "a", "passed": true}\n\n{"id": "a", "passed": null}\r\n{"id":"b","passed":false}'
    )
    assert counts(Format.JSONL, trials) == {"a": Trials(1, 0, 1), "b": Trials(0, 1)}
    tasks = (
        '{"id": "a", "passed": 4, "trials": 5, "errors": 1}\n{"id": "ü", "passed": 0, "trials": 0}'
    )
    assert counts(Format.JSONL, "\ufeff" + tasks) == {"a": Trials(4, 1, 1), "ü": Trials()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"id": "a", "passed": 6, "trials": 5}', "line 1: 6 of 5 trials passed"),
        ('{"id": "a", "passed": 1, "trials": 1}\n{"id": "a", "passed": 1, "trials": 1}', "twice"),
        (
            '{"id": "a", "passed": true}\n{"id": "a", "passed": 1, "trials": 1}',
            "line 2: trials and",
        ),
        ('{"id": "a", "passed": 1.0, "trials": 2}', "line 1: passed"),
        ('{"id": "a", "passed": -1, "trials": 2}', "line 1: passed"),
        ('{"id": "a", "passed": NaN, "trials": 2}', "line 1: passed"),
        ('{"id": "a", "passed": "true"}', "line 1: passed"),
        ('{"id": "a"}', "line 1: passed"),
        ('{"id": "a", "id": "b", "passed": true}', "key id stands twice"),
        ('{"id": "a", "passed": true, "score": 1e999}', "larger than a double"),
        ('{"id": "a", "passed": true', "line 1 is not JSON at line 1"),
        ('{"id": "a", "passed": 1' + "0" * 5000 + ', "trials": 1}', "not strict JSON"),
        ('{"id": " ", "passed": true}', "has no id"),
        ('{"id": "' + "x" * 201 + '", "passed": true}', "longer than 200"),
        ('{"id": "a\\u202eb", "passed": true}', "not shown"),
        ('{"id": "a\\ud800", "passed": true}', "not shown"),
        ('{"id": "a", "passed": 101, "trials": 101}', "101 trials, at most 100"),
        ("[" * (DEEPEST + 1), f"nests {DEEPEST + 1} deep"),
        ("[" * 1_000_000, "nests 1000000 deep"),
        ("7", "line 1"),
        (" \n ", "empty"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
    ],
)
def test_hostile_lines_are_refused_with_their_place(text: str | bytes, said: str) -> None:
    assert said in why(Format.JSONL, text)


def test_a_file_that_is_too_large_is_refused_by_its_size() -> None:
    assert f"at most {MOST_BYTES}" in why(Format.JSONL, b" " * (MOST_BYTES + 1))


def test_more_tasks_than_are_read_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_TASKS", 2)
    lines = "\n".join(f'{{"id": "{number}", "passed": true}}' for number in range(3))
    assert "3 tasks, at most 2" in why(Format.JSONL, lines)


@pytest.mark.parametrize("how", list(Format))
def test_a_foreign_body_is_never_quoted(how: Format) -> None:
    canary = '{"c4n4ry": "' + "c4n4ry" * 9 + '"}'
    assert "c4n4ryc4n4ry" not in why(how, canary, m=1)


def test_five_megabytes_of_two_thousand_tasks_are_read() -> None:
    lines = [
        json.dumps({"id": f"task-{number:04}-ü", "passed": True, "transcript": "x" * 2500})
        for number in range(2000)
    ]
    text = "\n".join(lines)
    assert len(text) > 5_000_000
    assert len(counts(Format.JSONL, text)) == 2000
