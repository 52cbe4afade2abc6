"""What a run of a suite reports: trials of tasks by both versions, as counts and nothing else.

A runner of ours tells rounds, one letter a task: ``p`` passed, ``f`` failed, ``e`` error, ``-`` not
run. Files of other tools have no rounds: of them each version's ``[passed, failed, errors]`` is
told, and taken as one round. Whoever reads it holds it to bounds: it comes from outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from turnout.api.suite_task import MOST_TASKS
from turnout.core.quoting import quoted
from turnout.core.suites.counts import MOST_TRIALS, Counts, Trials
from turnout.core.suites.tally import Round

LETTERS: Final[Mapping[str, Trials]] = {
    "p": Trials(passed=1),
    "f": Trials(failed=1),
    "e": Trials(errors=1),
    "-": Trials(),
}
"""What each letter of a round stands for."""

_TOLD: Final = {trials: letter for letter, trials in LETTERS.items()}

_Id = Annotated[str, Field(min_length=1, max_length=200)]
_Letters = Annotated[str, Field(max_length=MOST_TASKS, pattern=r"^[pfe-]*$")]
_Number = Annotated[int, Field(ge=0, le=2**53 - 1)]
_Count = Annotated[int, Field(ge=0, le=MOST_TRIALS)]
_Row: TypeAlias = tuple[_Count, _Count, _Count]
_Rows = Annotated[tuple[_Row, ...], Field(max_length=MOST_TASKS)]
_Word = Annotated[str, Field(pattern=r"^[A-Za-z]{1,64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Told(_Part):
    candidate: _Letters
    baseline: _Letters = ""


class _Counted(_Part):
    candidate: _Rows
    baseline: _Rows = ()


class _Result(_Part):
    tasks: Annotated[tuple[_Id, ...], Field(min_length=1, max_length=MOST_TASKS)]
    rounds: Annotated[tuple[_Told, ...], Field(max_length=MOST_TRIALS)] = ()
    counts: _Counted | None = None
    reasons: Annotated[dict[_Word, _Number], Field(max_length=32)] = Field(default_factory=dict)
    tokens: _Number | None = None
    seconds: _Number = 0


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of a run.

    Attributes:
        tasks: Ids of the tasks that were run.
        rounds: Trials, round by round.
        reasons: Errors by the word for them, of both versions.
        tokens: Tokens that the versions told they used; None where none told.
        seconds: How long it took.
    """

    tasks: tuple[str, ...]
    rounds: tuple[Round, ...]
    reasons: Mapping[str, int] = field(default_factory=dict)
    tokens: int | None = None
    seconds: int = 0

    def to_wire(self) -> dict[str, Any]:
        """Tell it round by round: each task has at most one trial a round and version."""
        tokens = {} if self.tokens is None else {"tokens": self.tokens}
        rounds = [
            {"candidate": self._letters(one.candidate), "baseline": self._letters(one.baseline)}
            for one in self.rounds
        ]
        return {"rounds": rounds, **self._common(), **tokens}

    def counted(self) -> dict[str, Any]:
        """Tell it as counts over all rounds."""
        counts = {
            "candidate": self._rows([one.candidate for one in self.rounds]),
            "baseline": self._rows([one.baseline for one in self.rounds]),
        }
        return {"counts": counts, **self._common()}

    def _common(self) -> dict[str, Any]:
        return {
            "tasks": list(self.tasks),
            "reasons": dict(self.reasons),
            "seconds": self.seconds,
        }

    def _letters(self, counts: Counts) -> str:
        return "".join(_TOLD[counts.get(name, Trials())] for name in self.tasks) if counts else ""

    def _rows(self, rounds: Sequence[Counts]) -> list[list[int]]:
        if not any(rounds):
            return []
        sums = [sum_of([one.get(name, Trials()) for one in rounds]) for name in self.tasks]
        return [[one.passed, one.failed, one.errors] for one in sums]


def sum_of(trials: Sequence[Trials]) -> Trials:
    """Add trials up."""
    total = Trials()
    for one in trials:
        total = total.plus(one)
    return total


def read_result(result: Mapping[str, Any]) -> Reported:
    """Read what a run reported.

    Raises:
        ValueError: It is something else; the message names the place and quotes nothing.
    """
    try:
        told = _Result.model_validate(dict(result))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = quoted(".".join(str(part) for part in first["loc"]), 80)
        raise ValueError(f"{path}: {first['msg']}") from None
    if len(set(told.tasks)) < len(told.tasks):
        raise ValueError("tasks: one stands twice")
    if any(quoted(name, 200) != name or not name.strip() for name in told.tasks):
        raise ValueError("tasks: an id has characters that are not shown")
    return Reported(told.tasks, _rounds(told), told.reasons, told.tokens, told.seconds)


def _rounds(told: _Result) -> tuple[Round, ...]:
    if told.counts is None:
        return tuple(
            Round(_spelled(told.tasks, one.candidate), _spelled(told.tasks, one.baseline))
            for one in told.rounds
        )
    if told.rounds:
        raise ValueError("counts: rounds are told as well")
    both = _summed(told.tasks, told.counts.candidate), _summed(told.tasks, told.counts.baseline)
    return (Round(*both),)


def _spelled(tasks: Sequence[str], letters: str) -> Counts:
    _hold_length("rounds", tasks, letters)
    return {} if not letters else dict(zip(tasks, map(LETTERS.__getitem__, letters), strict=True))


def _summed(tasks: Sequence[str], rows: Sequence[_Row]) -> Counts:
    _hold_length("counts", tasks, rows)
    if any(sum(row) > MOST_TRIALS for row in rows):
        raise ValueError(f"counts: a task has more than {MOST_TRIALS} trials")
    return {} if not rows else {name: Trials(*row) for name, row in zip(tasks, rows, strict=True)}


def _hold_length(where: str, tasks: Sequence[str], told: Sequence[Any]) -> None:
    if told and len(told) != len(tasks):
        raise ValueError(f"{where}: {len(told)} tasks are told of, there are {len(tasks)}")
