"""Differences as a condition shows them: short, and harmless whatever is in them."""

import pytest

from turnout.core.differences import LONGEST, of_schemas, of_texts


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("Refund an order", "Refund any order", "Refund [-an-] {+any+} order"),
        ("a b", "a b c", "a b {+c+}"),
        ("a b c", "a c", "a [-b-] c"),
        ("", "new", "{+new+}"),
        ("1 2 3 4 5 6 x", "1 2 3 4 5 6 y", "1 2 … 5 6 [-x-] {+y+}"),
        ("safe", "safe \x1b[31m\u202ered", "safe {+\\x1b[31m\\u202ered+}"),
    ],
)
def test_changed_words_are_marked_with_a_little_around_them(
    before: str, after: str, shown: str
) -> None:
    assert of_texts(before, after) == shown


def test_a_text_changed_throughout_is_bounded() -> None:
    assert len(of_texts("old " * 5000, "new " * 5000)) <= LONGEST


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ({"a": {"b": 1}}, {"a": {"b": "x"}}, '/a/b: 1 -> "x"'),
        ({"a": 1, "b": 2}, {"b": 2}, "/a: gone"),
        ({}, {"a": [1]}, "/a: new [1]"),
        ({"a": {}}, {"a": 1}, "/a: {} -> 1"),
        ({}, {"a": "x" * 99}, '/a: new "' + "x" * 38 + "…"),
        ({}, dict.fromkeys("abcdef", 1), "/a: new 1; /b: new 1; /c: new 1; /d: new 1; …"),
    ],
)
def test_schemas_differ_by_path(
    before: dict[str, object], after: dict[str, object], shown: str
) -> None:
    assert of_schemas(before, after) == shown
