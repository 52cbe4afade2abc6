"""Simulated rollouts as people and programs read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from statistics import fmean, median
from typing import Any, Final

from turnout.api.rollout import RolloutPhase
from turnout.cli.rows import aligned
from turnout.cli.times import span
from turnout.simulation.trial import Moment, Trial
from turnout.simulation.truth import Truth

_HEADS: Final = ("AT", "PHASE", "STEP", "WEIGHT", "GATE", "REASON")


def truth_line(truth: Truth) -> str:
    """Say what is so all the time."""
    named = "".join(f", {name} {100 * share:g}%" for name, share in truth.stable.items())
    return f"truth: {truth.rate:g} requests a second, stable {100 * truth.usual:g}% good{named}"


def trial_lines(trial: Trial, metric: str) -> Iterator[str]:
    """Write one rollout: its timeline, then what came of it."""
    rows = aligned([_HEADS, *(_cells(one) for one in trial.moments)])
    width = max(map(len, rows))
    yield f"{rows[0].ljust(width)}   MESSAGE"
    margin = 3 + max(len(_HEADS[0]), *(len(_length(one.at)) for one in trial.moments))
    for moment, row in zip(trial.moments, rows[1:], strict=True):
        if moment.truth:
            yield f"{_length(moment.at).ljust(margin)}-- {moment.truth}"
        else:
            yield f"{row.ljust(width)}   {moment.message}"
    yield ""
    yield _end(trial)
    account = trial.account
    yield (
        f"requests to the candidate {account.asked}; failed requests of users {account.failed} "
        f"({metric}), {account.excess:.1f} more than stable would have had"
    )


def _cells(moment: Moment) -> tuple[str, ...]:
    if moment.truth:
        return _length(moment.at), "", "", "", "", ""
    return (
        _length(moment.at),
        moment.phase,
        moment.step,
        str(moment.weight),
        moment.gate,
        moment.reason,
    )


def _end(trial: Trial) -> str:
    if trial.ended is None:
        return f"not over when the time was up, {trial.phase.value}: {trial.message}"
    return f"{trial.phase.value} after {_length(trial.ended)}: {trial.message}"


def _length(seconds: float) -> str:
    return span(timedelta(seconds=round(seconds)))


def summary_lines(trials: Sequence[Trial], metric: str) -> Iterator[str]:
    """Write many rollouts: how often each end, and what it took and cost."""
    heads = ("END", "SHARE", "MEDIAN TIME", "REQUESTS TO IT", "MORE FAILED")
    yield from aligned([heads, *(_end_row(phase, trials) for phase in _phases(trials))])
    excess = fmean(one.account.excess for one in trials)
    yield ""
    yield f"failed requests more than stable would have had ({metric}): {excess:.1f} a rollout"


def _end_row(phase: RolloutPhase, trials: Sequence[Trial]) -> tuple[str, ...]:
    ones = [one for one in trials if one.phase is phase]
    share = f"{100 * len(ones) / len(trials):.0f}%"
    if not ones:
        return phase.value, share, "-", "-", "-"
    ends = [one.ended for one in ones if one.ended is not None]
    return (
        phase.value,
        share,
        _length(median(ends)) if ends else "not over",
        f"{fmean(one.account.asked for one in ones):.0f}",
        f"{fmean(one.account.excess for one in ones):.1f}",
    )


def _phases(trials: Sequence[Trial]) -> list[RolloutPhase]:
    """Name the ends that came to be, the two that matter always."""
    always = {RolloutPhase.PROMOTED, RolloutPhase.ROLLED_BACK}
    came = always | {one.phase for one in trials}
    return sorted(came, key=lambda one: (one not in always, list(RolloutPhase).index(one)))


def document(trials: Sequence[Trial], metric: str) -> dict[str, Any]:
    """Write the same for programs; the timeline only of a single one."""
    runs = [_run(one) for one in trials]
    if len(trials) == 1:
        runs[0]["timeline"] = [_moment(one) for one in trials[0].moments]
    shares = {
        phase.value: sum(one.phase is phase for one in trials) / len(trials)
        for phase in _phases(trials)
    }
    return {"failedBy": metric, "shares": shares, "runs": runs}


def _run(trial: Trial) -> dict[str, Any]:
    return {
        "seed": trial.seed,
        "phase": trial.phase.value,
        "seconds": trial.ended,
        "message": trial.message,
        "candidateRequests": trial.account.asked,
        "failedRequests": trial.account.failed,
        "excessFailures": round(trial.account.excess, 3),
    }


def _moment(moment: Moment) -> dict[str, Any]:
    if moment.truth:
        return {"seconds": moment.at, "truth": moment.truth}
    return {
        "seconds": moment.at,
        "phase": moment.phase,
        "step": moment.step,
        "weight": moment.weight,
        "gate": moment.gate,
        "reason": moment.reason,
        "message": moment.message,
    }
