"""JSON inside strings, merge patches, names: what is plain text to everybody else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.core.jsontext import check, depth, parse
from turnout.core.naming import is_ours, labels, rollout_name, version_name
from turnout.core.patch import holds, merge_patch
from turnout.simulation.cluster import merge

DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER = "sha256:" + "f" * 64

json_values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)
documents = st.dictionaries(st.text(max_size=3), json_values, max_size=4)


@pytest.mark.parametrize(
    ("text", "deep"),
    [("{}", 1), ('{"a":[1]}', 2), ('"[[["', 0), ('{"a\\"[":"]]{{"}', 1), ('["\\\\"]', 1)],
)
def test_depth_counts_brackets_outside_of_strings(text: str, deep: int) -> None:
    assert depth(text) == deep


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"type":"object"}', None),
        ("[" * 40, "schema nests 40 deep, at most 32 are read"),
        ("[" * 100_000, "schema nests 100000 deep, at most 32 are read"),
        ("{", "schema is not JSON: Expecting property name enclosed in double quotes"),
        ("[]", "schema must be a JSON object"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(text: str, problem: str | None) -> None:
    found = check("schema", text)
    assert (found is None) is (problem is None)
    assert problem is None or (found is not None and found.startswith(problem))


def test_a_refused_text_is_never_quoted() -> None:
    with pytest.raises(ValueError, match="extra is not JSON") as refusal:
        parse("extra", '{"key": "s3cret"')
    assert "s3cret" not in str(refusal.value)


@given(documents, documents)
def test_a_merge_patch_makes_the_one_of_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert merge(before, merge_patch(before, after)) == after


@given(documents)
def test_nothing_is_patched_where_nothing_changed(document: dict[str, Any]) -> None:
    assert merge_patch(document, document) == {}
    assert holds(document, document)


@pytest.mark.parametrize(
    ("wanted", "found", "held"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, True),
        ({"a": {"b": 1}}, {"a": None}, False),
        ({"a": []}, {}, True),
        ({"a": [1]}, {}, False),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}]}, True),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": 1}, {"a": 2}, False),
    ],
)
def test_what_is_wanted_holds_whatever_else_is_there(
    *, wanted: object, found: object, held: bool
) -> None:
    assert holds(wanted, found) is held


def test_a_version_is_named_by_ten_digits_and_by_more_where_another_content_has_them() -> None:
    assert version_name("support", DIGEST, {}) == "support-0123456789"
    assert version_name("support", DIGEST, {"support-0123456789": DIGEST}) == "support-0123456789"
    taken = {"support-0123456789": OTHER}
    assert version_name("support", DIGEST, taken) == "support-0123456789ab"
    assert version_name("support", DIGEST, taken | {"support-0123456789ab": OTHER}) == (
        "support-0123456789abcd"
    )


def test_no_name_is_longer_than_a_label_holds() -> None:
    agent = "a" * 40
    taken = {f"{agent}-{DIGEST[7 : 7 + length]}": OTHER for length in range(10, 64)}
    assert len(version_name(agent, DIGEST, taken)) <= 63


def test_what_we_make_is_told_by_its_labels() -> None:
    assert rollout_name("support", 14) == "support-r14"
    assert is_ours({"labels": labels("support", "support-0123456789")}, "support")
    assert not is_ours({"labels": labels("support")}, "other")
    assert not is_ours({"labels": {"turnout.dev/agent": "support"}}, "support")
    assert not is_ours({}, "support")
