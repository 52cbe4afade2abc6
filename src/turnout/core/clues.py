"""What tells of the cause of trouble: tools that fail more often, a model that is another one.

It is asked for where somebody does worse, and compared with the day before. A hint, never a
verdict: nothing is moved by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias

from turnout.api.drift import ModelChange, ToolTrouble
from turnout.api.rollout import AgentRollout
from turnout.core.gates import percent
from turnout.core.looks import Counts
from turnout.core.phase import has_ended
from turnout.core.quoting import quoted
from turnout.core.reasons import Reason
from turnout.core.sequential.recent import Rate
from turnout.core.sequential.slump import LEAST, most_failures

MOST_PARTS: Final = 16
"""Tools and models of a version that are looked at, those that are called most."""

MOST_TOLD: Final = 3
"""Tools that are told, those with the most failures too many."""

CALLS: Final = 20.0
"""Calls before anything is said of a tool or a model."""

CERTAIN: Final = 4.0
"""Standard deviations beyond what a tool may fail."""

RARE: Final = 0.1
"""Part of the calls before that a model may have answered which is called another one now."""

LONGEST: Final = 64
"""Characters of a name that are told."""


@dataclass(frozen=True)
class Source:
    """Series that tell of calls, as the OpenTelemetry GenAI conventions name them.

    Attributes:
        metric: Counter of calls.
        by: Labels that tell what was called, or who answered.
        match_labels: Further labels.
    """

    metric: str
    by: tuple[str, ...]
    match_labels: Mapping[str, str] = field(default_factory=dict)


WITHOUT_ERROR: Final = {"error_type": ""}

TOOL_CALLS: Final = (
    Source("gen_ai_execute_tool_duration_seconds_count", ("gen_ai_tool_name",)),
    Source(
        "mcp_client_operation_duration_seconds_count",
        ("gen_ai_tool_name",),
        {"mcp_method_name": "tools/call"},
    ),
)
"""Where tools are counted; the first that a version has is read."""

_ANSWERS: Final = ("gen_ai_response_model", "openai_response_system_fingerprint")

MODEL_CALLS: Final = (
    Source("gen_ai_client_inference_duration_seconds_count", _ANSWERS),
    Source("gen_ai_client_operation_duration_seconds_count", _ANSWERS),
)
"""Where models are counted; the first that a version has is read."""

Calls: TypeAlias = Mapping[str, Counts]
"""What was called, by its name: calls without an error, and all."""


@dataclass(frozen=True)
class Suspect:
    """Who does worse, and is to be asked about.

    Attributes:
        asks: Name of the metrics provider.
        versions: Versions that serve, stable first: all of them suffer.
    """

    asks: str
    versions: tuple[str, ...]


@dataclass(frozen=True)
class Clues:
    """What was found.

    Attributes:
        tools: Tools that fail more often in every version than the agent's did before.
        model: That another model answers stable than before.
        is_cut: There are more tools than were looked at.
    """

    tools: tuple[ToolTrouble, ...] = ()
    model: ModelChange | None = None
    is_cut: bool = False

    @property
    def sentence(self) -> str:
        """The same for people; empty where nothing was found."""
        told = [*tools_in_words(self.tools, is_cut=self.is_cut)]
        return "; ".join([*model_in_words(self.model), *told])


NO_CLUES: Final = Clues()


def suspect_of(rollouts: Sequence[AgentRollout]) -> Suspect | None:
    """Tell of which versions to ask while a rollout is held for both of them are unwell."""
    newest = rollouts[-1] if rollouts else None
    if newest is None or has_ended(newest.status.phase) or newest.spec.from_ is None:
        return None
    if newest.status.reason != Reason.BOTH_ARMS_DEGRADED:
        return None
    versions = (newest.spec.from_.version, newest.spec.to.version)
    return Suspect(newest.spec.gate.provider, versions)


def failing(arms: Iterable[Calls], before: Calls) -> tuple[ToolTrouble, ...]:
    """Find the tools that fail more often in every arm than before, the worst first."""
    worst: dict[str, float] = {}
    rows: dict[str, ToolTrouble] = {}
    seen = list(arms)
    for name in set.intersection(*(set(one) for one in seen)) & before.keys():
        usual, now = before[name], [one[name] for one in seen]
        most = most_failures(Rate(usual.good, usual.total), LEAST)
        if usual.total >= CALLS and all(_exceeds(one, most) for one in now):
            together = sum(now, Counts())
            worst[name] = together.total - together.good - most * together.total
            rows[name] = ToolTrouble(
                name=quoted(name, LONGEST), recorded=_failed(usual), measured=_failed(together)
            )
    order = sorted(worst, key=lambda name: (-worst[name], name))
    return tuple(rows[name] for name in order[:MOST_TOLD])


def _exceeds(now: Counts, most: float) -> bool:
    """Claim that more calls failed than may, beyond chance."""
    if now.total < CALLS or most >= 1.0:
        return False
    spread = math.sqrt(now.total * most * (1.0 - most))
    return now.total - now.good >= most * now.total + CERTAIN * spread


def _failed(calls: Counts) -> str:
    return percent(max(calls.total - calls.good, 0.0) / calls.total)


def changed(before: Mapping[str, float], now: Mapping[str, float]) -> tuple[str, str] | None:
    """Tell by which model most calls were answered before, and by which other one now.

    One that had its part before is no change: providers answer by several at the same time.
    """
    was, answers = _main(before), _main(now)
    if was is None or answers is None or was == answers:
        return None
    return (was, answers) if before.get(answers, 0.0) <= RARE * sum(before.values()) else None


def _main(calls: Mapping[str, float]) -> str | None:
    """Name the model that answers most; None while there are too few calls."""
    if sum(calls.values()) < CALLS:
        return None
    return max(sorted(calls), key=lambda name: calls[name])


def model_change(before: str, now: str, since: float | None) -> ModelChange:
    """Tell of another model, which was seen first at that unix time."""
    at = None if since is None else datetime.fromtimestamp(since // 60 * 60, tz=UTC)
    return ModelChange(before=quoted(before, LONGEST), now=quoted(now, LONGEST), since=at)


def tools_in_words(tools: Sequence[ToolTrouble], *, is_cut: bool = False) -> Iterable[str]:
    """Say which tools fail."""
    if not tools:
        return
    told = ", ".join(
        f"tool {one.name}: {one.measured} of its calls fail, {one.recorded} before" for one in tools
    )
    cut = f" (of the {MOST_PARTS} tools that are called most)" if is_cut else ""
    yield f"{told}{cut}"


def model_in_words(model: ModelChange | None) -> Iterable[str]:
    """Say which model answers since when."""
    if model is None:
        return
    since = "" if model.since is None else f" since {model.since:%Y-%m-%d %H:%M}Z"
    yield f"the model that answers is {model.now}{since}, {model.before} before"
