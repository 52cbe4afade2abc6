"""The gate of a file: the block of a RolloutStrategy, as far as counts can be judged by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from turnout.api.base import Duration, fraction, seconds
from turnout.api.strategy import OnInconclusive, OnRegression
from turnout.cli.files import called, text_of
from turnout.cli.lint.manifests import Manifest, read_manifests
from turnout.cli.lint.problems import Path
from turnout.core.quoting import quoted
from turnout.core.sequential.findings import Metric
from turnout.core.sequential.tally import Terms
from turnout.core.sequential.verdicts import Policy
from turnout.errors import Invalid

ELSEWHERE: Final = frozenset(
    {
        "interval",
        "warmup",
        "countBy",
        "provider",
        "errorBudget",
        "failures",
        "successes",
        "onSplitOff",
    }
)
"""Fields that say how looks are taken, or judge the whole service: none of them reads a look."""

ELSEWHERE_OF_METRIC: Final = frozenset(
    {"templateRef", "profile", "slowerThan", "maxIncrease", "trialsPerTask", "baseline", "mustPass"}
)


class MetricType(StrEnum):
    """What a metric counts."""

    SUCCESS_RATE = "SuccessRate"
    LATENCY = "Latency"
    CUSTOM = "Custom"
    COST_PER_SUCCESS = "CostPerSuccess"
    EVALS = "Evals"


NOT_COUNTED: Final[Mapping[MetricType, str]] = {
    MetricType.COST_PER_SUCCESS: "a cost per success needs sums of money, which looks do not have",
    MetricType.EVALS: "evaluations need trials task by task, which looks do not have",
}
"""Types that good and total say nothing about."""


def _share(value: object) -> object:
    """Take 2% and 0.02 alike."""
    if isinstance(value, str) and value.endswith("%"):
        try:
            return fraction(value)
        except ArithmeticError:
            return value
    return value


Part = Annotated[float, BeforeValidator(_share), Field(gt=0, lt=1)]


SAID: Final = {"extra_forbidden": "no gate has such a field"}
"""Words of ours for pydantic's."""


class _Block(BaseModel):
    """A mapping with the names of the API; those of another meaning are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class _Metric(_Block):
    name: Annotated[str, Field(min_length=1)]
    type: MetricType
    max_regression: Part | None = None
    minimum: Part | None = None
    importance: Annotated[
        float,
        Field(ge=0, allow_inf_nan=False, validation_alias=AliasChoices("importance", "weight")),
    ] = 1.0
    on_regression: OnRegression = OnRegression.ROLLBACK


class _Gate(_Block):
    mode: Annotated[str, Field(pattern="^Statistical$")] = "Statistical"
    confidence: Annotated[float, BeforeValidator(_share), Field(ge=0.8, le=0.999)] = 0.95
    metrics: Annotated[tuple[_Metric, ...], Field(min_length=1, max_length=20)]
    min_duration: Duration = "15m"
    min_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    max_duration: Duration = "2h"
    on_inconclusive: OnInconclusive = OnInconclusive.HOLD

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        """Refuse what contradicts itself."""
        names = [one.name for one in self.metrics]
        if len(set(names)) < len(names):
            raise ValueError("two metrics have the same name")
        if not any(one.importance > 0.0 for one in self.metrics):
            raise ValueError("some metric must have an importance above 0")
        if seconds(self.min_duration) > seconds(self.max_duration):
            raise ValueError("minDuration must not be longer than maxDuration")
        return self


@dataclass(frozen=True)
class GateFile:
    """A gate that counts can be judged by.

    Attributes:
        metrics: Metrics by name, of types that counts say something about.
        policy: When it decides.
        uncounted: Why other metrics cannot be judged, by name.
        unread: Fields that have no meaning for recorded looks.
    """

    metrics: Mapping[str, Metric]
    policy: Policy
    uncounted: Mapping[str, str]
    unread: tuple[str, ...]


def read_gate(path: str) -> GateFile:
    """Read a gate: the block itself, or a file that has it under ``gate``.

    Raises:
        Invalid: it is none, with file, line, field and what is wrong.
    """
    manifests = list(read_manifests(called(path), text_of(path)))
    if len(manifests) != 1:
        raise Invalid("InvalidGate", f"{called(path)} has {len(manifests)} documents, not one gate")
    manifest = manifests[0]
    for problem in manifest.problems:
        raise _refusal(manifest, problem.path, problem.message)
    content = manifest.content
    root: Path = ()
    if isinstance(content, dict) and "gate" in content:
        content, root = content["gate"], ("gate",)
    if not isinstance(content, dict):
        raise _refusal(manifest, root, "a gate is a mapping with metrics")
    known, unread = _known(content)
    try:
        return _gate_file(_Gate.model_validate(known), unread)
    except ValidationError as error:
        first = error.errors()[0]
        said = SAID.get(first["type"], first["msg"])
        raise _refusal(manifest, (*root, *first["loc"]), said) from None


def _known(content: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Set apart what is known and has no meaning here."""
    unread = [name for name in content if name in ELSEWHERE]
    known = {name: value for name, value in content.items() if name not in ELSEWHERE}
    metrics = known.get("metrics")
    if isinstance(metrics, list):
        known["metrics"] = [
            {name: value for name, value in one.items() if name not in ELSEWHERE_OF_METRIC}
            if isinstance(one, dict)
            else one
            for one in metrics
        ]
    return known, tuple(unread)


def _refusal(manifest: Manifest, path: Path, said: str) -> Invalid:
    place = manifest.place(path)
    field = ".".join(str(one) for one in path)
    of = f"{field}: " if field else ""
    return Invalid("InvalidGate", f"{place.file}, line {place.line}: {of}{quoted(said)}")


def _gate_file(gate: _Gate, unread: tuple[str, ...]) -> GateFile:
    alpha = round(1.0 - gate.confidence, 6)
    counted = [one for one in gate.metrics if one.type not in NOT_COUNTED]
    return GateFile(
        metrics={
            one.name: Metric(
                one.name,
                Terms(one.max_regression, alpha, one.minimum),
                one.importance,
                one.on_regression,
            )
            for one in counted
        },
        policy=Policy(
            alpha,
            seconds(gate.min_duration),
            gate.min_requests,
            seconds(gate.max_duration),
            gate.on_inconclusive,
        ),
        uncounted={
            one.name: NOT_COUNTED[one.type] for one in gate.metrics if one.type in NOT_COUNTED
        },
        unread=unread,
    )
