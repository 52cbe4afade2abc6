"""The CEL rules of our CRDs, evaluated as the API server does; their messages are its answer.

Rules about a change (`oldSelf`) are left out: a file has no past.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from turnout.api.schema import RULES, JsonSchema
from turnout.cli.lint.problems import ROOT, Path, Problem


def _is_sorted(items: Sequence[Any]) -> bool:
    return all(left <= right for left, right in pairwise(items))


_SORTED: Final = cel.Overload(
    "list_is_sorted",
    cel.Type.BOOL,
    [cel.Type.List(cel.Type.DYN)],
    is_member=True,
    impl=_is_sorted,
)
"""Kubernetes' own addition to CEL, as far as our rules use it."""

_CEL: Final = cel.NewEnv(
    variables={"self": cel.Type.DYN},
    extensions=[ext_strings.ExtStrings()],
    functions=[cel.FunctionDecl("isSorted", [_SORTED])],
)


def rule_problems(node: JsonSchema, document: Any, wrong: Collection[Path]) -> Iterator[Problem]:
    """Say which rules a document breaks; none is asked of a value that is wrong by its schema."""
    yield from _below(node, _whole(document), ROOT, wrong)


def _whole(value: Any) -> Any:
    """Write NUL as a mark that is as foreign: the library would take it for the end of a text."""
    if isinstance(value, dict):
        return {_whole(name): _whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else value


def _below(node: JsonSchema, value: Any, path: Path, wrong: Collection[Path]) -> Iterator[Problem]:
    if not any(one[: len(path)] == path for one in wrong):
        for rule in node.get(RULES, ()):
            if "oldSelf" not in rule["rule"] and not _holds(rule["rule"], value):
                yield Problem(path, "InvalidValue", rule["message"])
    if isinstance(value, dict):
        fields = node.get("properties", {})
        for name, one in value.items():
            inner = fields.get(name) or node.get("additionalProperties") or {}
            yield from _below(inner, one, (*path, name), wrong)
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from _below(node.get("items", {}), one, (*path, at), wrong)


@lru_cache(maxsize=256)
def _compiled(rule: str) -> cel.Expression:
    return _CEL.compile(rule)


def _holds(rule: str, value: Any) -> bool:
    answer = _compiled(rule).eval(data={"self": value})
    return answer.value() is True
