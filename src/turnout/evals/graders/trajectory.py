"""The grader of the way to an answer: which tools were called, in which order, with what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from turnout.api.graders import ExpectedCall, Order, Trajectory
from turnout.core.quoting import quoted
from turnout.evals.graders.answers import (
    PASSED,
    Answer,
    Call,
    Grade,
    NotJson,
    failed,
    misused,
    parsed,
)
from turnout.evals.graders.documents import canonical, obeyed, validator

MOST_CALLS: Final = 1000
"""Calls that are compared; an agent that made more is in a loop."""

_Compare: TypeAlias = Callable[[Sequence[ExpectedCall], Sequence[Call]], str]
"""Gives what is wrong, empty where nothing is."""


def trajectory(rule: Trajectory, answer: Answer) -> Grade:
    """Hold an answer to the way it was come by; unknown where the agent does not tell of it."""
    if answer.calls is None:
        return Grade(passed=None, why="the agent does not tell which tools it called")
    calls = answer.calls
    if len(calls) > MOST_CALLS:
        return failed(f"{len(calls)} calls were made, at most {MOST_CALLS} are looked at")
    wrong = _limits(rule, calls) or _ORDERS[rule.order](rule.calls, calls)
    return failed(wrong) if wrong else PASSED


def check_trajectory(rule: Trajectory) -> None:
    """Refuse a rule that cannot be held.

    Raises:
        Invalid: It asks for nothing, or what arguments are held to is no JSON object or no schema.
    """
    asks = (rule.calls, rule.forbidden, rule.most_calls, rule.most_repeats)
    if not any(asks) and rule.order is not Order.EXACT:
        raise misused("trajectory asks for nothing")
    for one in rule.calls:
        _wanted(one)
        if one.arguments_schema is not None:
            validator(one.arguments_schema)


def _limits(rule: Trajectory, calls: Sequence[Call]) -> str:
    for call in calls:
        if call.tool in rule.forbidden:
            return f"forbidden tool {quoted(call.tool, 80)} was called"
    if rule.most_calls is not None and len(calls) > rule.most_calls:
        return f"{len(calls)} calls were made, at most {rule.most_calls} may be"
    alike = Counter((one.tool, canonical(dict(one.arguments))) for one in calls)
    (tool, _), times = alike.most_common(1)[0] if alike else (("", None), 0)
    if rule.most_repeats is not None and times > rule.most_repeats:
        return f"{quoted(tool, 80)} was called {times} times with the same arguments"
    return ""


def _exact(expected: Sequence[ExpectedCall], calls: Sequence[Call]) -> str:
    if len(expected) != len(calls):
        return f"{len(calls)} calls were made, just {len(expected)} were expected"
    apart = (
        place for place, both in enumerate(zip(expected, calls, strict=True)) if not _fits(*both)
    )
    place = next(apart, None)
    return "" if place is None else _other(place, expected[place])


def _in_order(expected: Sequence[ExpectedCall], calls: Sequence[Call]) -> str:
    left = iter(calls)
    for place, one in enumerate(expected):
        if not any(_fits(one, call) for call in left):
            return f"call {place + 1} ({quoted(one.tool, 80)}) was not made in its turn"
    return ""


def _any_order(expected: Sequence[ExpectedCall], calls: Sequence[Call]) -> str:
    """Find a call for each that is expected, each call used once (augmenting paths)."""
    taken: dict[int, int] = {}

    def find(place: int, seen: set[int]) -> bool:
        for number, call in enumerate(calls):
            if number in seen or not _fits(expected[place], call):
                continue
            seen.add(number)
            if number not in taken or find(taken[number], seen):
                taken[number] = place
                return True
        return False

    for place, one in enumerate(expected):
        if not find(place, set()):
            return f"call {place + 1} ({quoted(one.tool, 80)}) was not made"
    return ""


def _subset(expected: Sequence[ExpectedCall], calls: Sequence[Call]) -> str:
    for call in calls:
        if not any(_fits(one, call) for one in expected):
            return f"{quoted(call.tool, 80)} was called as it is not listed"
    return ""


_ORDERS: Final[Mapping[Order, _Compare]] = MappingProxyType(
    {
        Order.EXACT: _exact,
        Order.IN_ORDER: _in_order,
        Order.ANY_ORDER: _any_order,
        Order.SUBSET: _subset,
    }
)


def _other(place: int, expected: ExpectedCall) -> str:
    return f"call {place + 1} is not {quoted(expected.tool, 80)} as it was expected"


def _fits(expected: ExpectedCall, call: Call) -> bool:
    if expected.tool != call.tool:
        return False
    arguments, wanted = dict(call.arguments), _wanted(expected)
    if any(
        key not in arguments or canonical(arguments[key]) != value for key, value in wanted.items()
    ):
        return False
    schema = expected.arguments_schema
    return schema is None or obeyed(schema, arguments, "the call").passed is True


def _wanted(expected: ExpectedCall) -> dict[str, bytes | None]:
    if expected.arguments is None:
        return {}
    try:
        document = parsed(expected.arguments)
    except NotJson as error:
        raise misused(f"arguments of {quoted(expected.tool, 80)}: the text {error}") from None
    if not isinstance(document, dict):
        raise misused(f"arguments of {quoted(expected.tool, 80)} are no JSON object")
    return {key: canonical(value) for key, value in document.items()}
