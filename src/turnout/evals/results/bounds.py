"""What every result file is held to, whatever its format."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from turnout.core.jsontext import depth, finite, unique
from turnout.core.quoting import quoted
from turnout.core.suites.counts import MOST_TRIALS, Trials
from turnout.errors import Invalid

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_TASKS: Final = 2000
LONGEST_ID: Final = 200
DEEPEST: Final = 64

_Model = TypeVar("_Model", bound=BaseModel)


class Row(BaseModel):
    """A part of a result file that is read: strict types, camelCase, and all else left aside."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial of one task.

    Attributes:
        task: Id of the task.
        passed: Whether it passed; None where an error left that open.
    """

    task: str
    passed: bool | None


def refused(message: str) -> Invalid:
    """Make the error for a file that cannot be read as results."""
    return Invalid("UnparsableResult", message)


def text_of(content: bytes) -> str:
    """Decode a file.

    Raises:
        Invalid: It is empty, larger than 16 MiB or not UTF-8.
    """
    if len(content) > MOST_BYTES:
        raise refused(f"the file has {len(content)} bytes, at most {MOST_BYTES} are read")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(f"the file is not UTF-8 at byte {error.start}") from None
    if not text.strip():
        raise refused("the file is empty")
    return text


def document(text: str, place: str = "the file") -> Any:
    """Parse JSON strictly: bounded depth, every key once, only numbers that a double can hold.

    ``NaN`` is read, as Python's tools write it; it is no number to whoever asks for one.

    Raises:
        Invalid: It is something else; the message says where and never quotes the text.
    """
    nested = depth(text)
    if nested > DEEPEST:
        raise refused(f"{place} nests {nested} deep, at most {DEEPEST} are read")
    try:
        return json.loads(text, object_pairs_hook=unique, parse_float=finite)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise refused(f"{place} is not JSON at {where}: {error.msg}") from None
    except ValueError as error:
        raise refused(f"{place} is not strict JSON: {quoted(str(error), 120)}") from None


def shaped(model: type[_Model], value: object, place: str = "") -> _Model:
    """Read a value as a model.

    Raises:
        Invalid: It has another shape; the message names the place of the first difference.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        where = quoted(f"{place}{path}", 120) or "the file"
        raise refused(f"{where}: {quoted(first['msg'], 160)}") from None


def tallied(trials: Iterable[Trial], known: Sequence[str] = ()) -> dict[str, Trials]:
    """Count trials by task.

    Args:
        trials: As they were run.
        known: Tasks that the file names without any trial.

    Raises:
        Invalid: There are no tasks, too many, too many trials of one, or an id is no name.
    """
    counts: Counter[tuple[str, bool | None]] = Counter()
    names = dict.fromkeys(known)
    for one in trials:
        names[one.task] = None
        counts[one.task, one.passed] += 1
    return bounded(
        {
            name: Trials(counts[name, True], counts[name, False], counts[name, None])
            for name in names
        }
    )


def bounded(counts: dict[str, Trials]) -> dict[str, Trials]:
    """Hold counts to the bounds.

    Raises:
        Invalid: There are no tasks, too many, too many trials of one, or an id is no name.
    """
    if not counts:
        raise refused("the file has no results")
    if len(counts) > MOST_TASKS:
        raise refused(f"the file has {len(counts)} tasks, at most {MOST_TASKS} are read")
    for name, trials in counts.items():
        _hold_name(name)
        if trials.attempted > MOST_TRIALS:
            raise refused(
                f"task {quoted(name, 80)} has {trials.attempted} trials, "
                f"at most {MOST_TRIALS} are read"
            )
    return counts


def _hold_name(name: str) -> None:
    if not name.strip():
        raise refused("a task has no id")
    if len(name) > LONGEST_ID:
        raise refused(f"the id of task {quoted(name, 40)} is longer than {LONGEST_ID} characters")
    if quoted(name, LONGEST_ID) != name:
        raise refused(f"the id of task {quoted(name, 80)} has characters that are not shown")
