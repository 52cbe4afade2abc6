"""What a Job reported of a run: held to the suite, judged again, and written for people.

The Job tells one letter a task, round by round, and no verdict: the same rule by which it stopped
is followed here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from turnout.api.evalrun import (
    MOST_NAMED,
    EvalCounts,
    EvalEvidence,
    EvalPhase,
    EvalPlan,
    EvalReason,
    PassRate,
    TaskCounts,
)
from turnout.api.rollout_status import Verdict
from turnout.core.runs.golden import Golden
from turnout.core.runs.world import Ending
from turnout.core.sequential.words import evidence
from turnout.core.suites.counts import Rate, Task
from turnout.core.suites.reported import Reported, read_result
from turnout.core.suites.tally import Round, Tally
from turnout.core.suites.verdict import Judgement, Suite, judge

MOST_BYTES: Final = 64 * 1024
"""Bytes that the rows of tasks may take in a status."""

MOST_REASONS: Final = 16
MOST_COUNT: Final = 2**31 - 1

_MOST_SHOWN: Final = 8
_PHASES: Final = {
    Verdict.PASS: EvalPhase.PASSED,
    Verdict.FAIL: EvalPhase.FAILED,
    Verdict.CONTINUE: EvalPhase.INCONCLUSIVE,
}


def find(result: Mapping[str, Any], golden: Golden, plan: EvalPlan) -> Ending:
    """Judge a result.

    Raises:
        ValueError: It is not a result of this suite; the message never quotes it.
    """
    suite = Suite(
        tuple(one.id for one in golden.tasks),
        frozenset(one.id for one in golden.tasks if one.must_pass),
        fewest=plan.fewest,
        most=plan.most,
    )
    reported = _held(result, suite)
    tally, judgement = _judged(suite, reported.rounds)
    ruling = judgement.ruling
    reason = ruling.reason.value if judgement.is_over else "Unfinished"
    phase = _PHASES[ruling.verdict]
    tasks = tuple(tally.tasks.values())
    return Ending(phase, reason, _sentence(reason, judgement), _told(reported, judgement, tasks))


def _judged(suite: Suite, rounds: Iterable[Round]) -> tuple[Tally, Judgement]:
    """Judge round by round and stop at the first end, as the Job does."""
    tally = suite.begun()
    judgement = judge(suite, tally)
    for trials in rounds:
        tally = tally.after(trials)
        judgement = judge(suite, tally)
        if judgement.is_over:
            break
    return tally, judgement


def _held(result: Mapping[str, Any], suite: Suite) -> Reported:
    """Read a result, and hold it to the suite.

    Raises:
        ValueError: It is not a result of this suite.
    """
    reported = read_result(result)
    if {*reported.tasks} != {*suite.tasks}:
        raise ValueError("the result speaks of other tasks than the suite has")
    if not 0 < len(reported.rounds) <= suite.most:
        raise ValueError(
            f"the result has {len(reported.rounds)} rounds, from 1 to {suite.most} fit"
        )
    return reported


def _sentence(reason: str, judgement: Judgement) -> str:
    ruling, rate, other = judgement.ruling, judgement.candidate, judgement.baseline
    named = f": {', '.join(ruling.blamed[:_MOST_SHOWN])}" if ruling.blamed else ""
    further = len(ruling.blamed) - _MOST_SHOWN
    more = f" and {further} more" if further > 0 else ""
    rates = f"pass rate {_percent(rate)}, baseline {_percent(other)}"
    proof = f"evidence {evidence(judgement.worse)} that it is worse, {evidence(judgement.safe)} "
    return f"{reason}{named}{more}; {rates}, {proof}that it is not (20 decides)"


def _percent(rate: Rate | None) -> str:
    return "unknown" if rate is None else f"{rate.value:.1%}"


def _told(reported: Reported, judgement: Judgement, tasks: Sequence[Task]) -> dict[str, Any]:
    groups = judgement.groups
    rows = _rows([*groups.regressed, *groups.improved, *groups.tied], tasks)
    return {
        "trials": judgement.trials,
        "counts": EvalCounts(
            passed=sum(one.candidate.passed for one in tasks),
            failed=sum(one.candidate.failed for one in tasks),
            errored=sum(one.candidate.errors for one in tasks),
        ),
        "tasks": rows,
        "omitted": len(tasks) - len(rows) or None,
        "regressed": groups.regressed[:MOST_NAMED],
        "regressed_count": len(groups.regressed),
        "improved": len(groups.improved),
        "tied": len(groups.tied),
        "pass_rate": _rate(judgement.candidate),
        "baseline_rate": _rate(judgement.baseline),
        "evidence": EvalEvidence(worse=evidence(judgement.worse), safe=evidence(judgement.safe)),
        "errors": _reasons(reported.reasons),
        "tokens": reported.tokens,
    }


def _rows(order: Sequence[str], tasks: Sequence[Task]) -> tuple[TaskCounts, ...]:
    """Write tasks' trials, those that tell most first, as many as there is room for."""
    known = {one.id: one for one in tasks}
    rows: list[TaskCounts] = []
    room = MOST_BYTES
    for name in order:
        row = _row(known[name])
        room -= len(json.dumps(row.to_wire(), separators=(",", ":"))) + 1
        if room < 0:
            break
        rows.append(row)
    return tuple(rows)


def _row(task: Task) -> TaskCounts:
    own, other = task.candidate, task.baseline
    return TaskCounts(
        id=task.id,
        c=own.passed,
        cn=own.completed,
        b=other.passed,
        bn=other.completed,
        e=own.errors + other.errors,
    )


def _rate(rate: Rate | None) -> PassRate | None:
    if rate is None:
        return None
    value, low, high = (f"{100 * one:.2f}%" for one in (rate.value, rate.low, rate.high))
    return PassRate(value=value, low=low, high=high)


def _reasons(told: Mapping[str, int]) -> tuple[EvalReason, ...]:
    """Write why trials had no result, the most frequent first."""
    found = sorted(told.items(), key=lambda one: (-one[1], one[0]))[:MOST_REASONS]
    return tuple(EvalReason(reason=word, count=min(count, MOST_COUNT)) for word, count in found)
