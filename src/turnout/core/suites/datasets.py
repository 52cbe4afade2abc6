"""Tasks of a suite out of files: JSON Lines, YAML or CSV in, tasks out, or what is wrong and where.

A file is foreign text. It is bounded before it is parsed, read strictly (every key once, no field
that is not known, numbers as numbers), and refused as a whole: half a suite would be another one.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import rfc8785
from pydantic import ValidationError

from turnout.api.suite_task import MOST_TASKS, SuiteTask, TaskFormat
from turnout.core.jsontext import depth, finite, no_number, unique
from turnout.core.quoting import quoted
from turnout.core.tasks import sha256
from turnout.core.yamltext import items
from turnout.errors import Invalid

MOST_BYTES: Final = 1024 * 1024
"""Largest file, as UTF-8: what a ConfigMap holds."""

MOST_BYTES_TOGETHER: Final = 8 * 1024 * 1024
"""Largest files of one suite together."""

DEEPEST: Final = 64
"""Levels that a file may nest."""

_PLAIN: Final = frozenset({"id", "input"})
_AS_JSON: Final = frozenset({"conversation", "labels", "mustPass", "graders"})
_GRADERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "exact": lambda text: {"text": text},
    "contains": lambda text: {"allOf": [text]},
    "regex": lambda text: {"pattern": text},
}
"""Columns of CSV that are one grader each."""

_COLUMNS: Final = (*sorted(_PLAIN), *sorted(_AS_JSON), *_GRADERS)

_Rows: TypeAlias = Iterator[tuple[int, Any]]


def read(form: TaskFormat, text: str, named: str) -> tuple[SuiteTask, ...]:
    """Read the tasks of one file.

    Args:
        form: How they are written.
        text: The file.
        named: What messages call it, such as `key golden.jsonl of ConfigMap refunds`.

    Raises:
        Invalid: It is too large, has no tasks or too many, or one cannot be used; the message
            names file, line and limit.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise _refused(f"{named} has {size} bytes, at most {MOST_BYTES} are read")
    try:
        tasks = tuple(_tasks(_READERS[form](text.removeprefix("\ufeff"))))
    except ValueError as error:
        raise _refused(f"{named}: {quoted(str(error), 400)}") from None
    if not tasks:
        raise _refused(f"{named} has no tasks")
    return tasks


def read_all(sources: Sequence[tuple[TaskFormat, str, str]]) -> tuple[SuiteTask, ...]:
    """Read the tasks of several files, each given as for `read`.

    Raises:
        Invalid: They are too large together, or one of them cannot be used.
    """
    size = sum(len(text.encode("utf-8", "surrogatepass")) for _, text, _ in sources)
    if size > MOST_BYTES_TOGETHER:
        raise _refused(f"the files have {size} bytes, at most {MOST_BYTES_TOGETHER} are read")
    return together([read(*one) for one in sources])


def together(parts: Sequence[Sequence[SuiteTask]]) -> tuple[SuiteTask, ...]:
    """Make one suite of several lists of tasks.

    Raises:
        Invalid: There are too many, or two have one id.
    """
    tasks = tuple(task for part in parts for task in part)
    if len(tasks) > MOST_TASKS:
        raise _refused(f"the suite has {len(tasks)} tasks, at most {MOST_TASKS} are read")
    seen: set[str] = set()
    for task in tasks:
        if task.id in seen:
            raise _refused(f"task {task.id} stands twice in the suite")
        seen.add(task.id)
    return tasks


def digest(tasks: Sequence[SuiteTask], judge: Mapping[str, Any] | None = None) -> str:
    """Digest what a suite asks and holds answers to.

    The order of the tasks, their labels, and where they were read from make no difference; nor does
    a field that is written with the value that it has where it is absent.

    Args:
        tasks: All of the suite.
        judge: Whoever judges what no rule can, as JSON; None where nobody does.
    """
    asked: Any = [_asked(one) for one in sorted(tasks, key=lambda task: task.id)]
    whole = {"tasks": asked} if judge is None else {"tasks": asked, "judge": dict(judge)}
    return sha256(rfc8785.dumps(whole).decode())


def _asked(task: SuiteTask) -> dict[str, Any]:
    return {
        "id": task.id,
        "conversation": [one.to_wire() for one in task.turns],
        "mustPass": task.must_pass,
        "graders": [
            one.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
            for one in task.graders
        ],
    }


def _tasks(rows: _Rows) -> Iterator[SuiteTask]:
    """Read rows one by one, so that a file of too many ends at the first that is too many."""
    seen: dict[str, int] = {}
    for line, row in rows:
        if len(seen) == MOST_TASKS:
            raise ValueError(f"line {line}: at most {MOST_TASKS} tasks are read")
        task = _task(line, row)
        if task.id in seen:
            raise ValueError(f"line {line}: task {task.id} stands at line {seen[task.id]} too")
        seen[task.id] = line
        yield task


def _task(line: int, row: Any) -> SuiteTask:
    try:
        return SuiteTask.model_validate_json(
            json.dumps(row), strict=True, extra="forbid", by_alias=True, by_name=False
        )
    except ValidationError as error:
        raise ValueError(f"line {line}{_named(row)}: {_first(error)}") from None


def _named(row: Any) -> str:
    name = row.get("id") if isinstance(row, dict) else None
    return f", task {quoted(name, 80)}" if isinstance(name, str) else ""


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        return "it holds half of a character (a lone surrogate)"
    if first["type"] == "extra_forbidden":
        return f"{path} is no field of a task"
    return f"{path}: {first['msg']}" if path else first["msg"]


def _jsonl(text: str) -> _Rows:
    for line, row in enumerate(text.split("\n"), 1):
        if row.strip():
            yield line, _json(f"line {line}", row)


def _json(place: str, text: str) -> Any:
    nested = depth(text)
    if nested > DEEPEST:
        raise ValueError(f"{place} nests {nested} deep, at most {DEEPEST} are read")
    try:
        return json.loads(
            text, object_pairs_hook=unique, parse_float=finite, parse_constant=no_number
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"{place} is not JSON at column {error.colno}: {error.msg}") from None
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def _csv(text: str) -> _Rows:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(rows, [])
        _hold_header(header)
        for cells in rows:
            if cells:
                yield rows.line_num, _row(rows.line_num, header, cells)
    except csv.Error as error:
        raise ValueError(f"line {rows.line_num} is not CSV: {error}") from None


def _hold_header(header: Sequence[str]) -> None:
    for name in header:
        if name not in _COLUMNS:
            raise ValueError(f"line 1: column {name} is none of {', '.join(_COLUMNS)}")
        if header.count(name) > 1:
            raise ValueError(f"line 1: column {name} stands twice")


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    if len(cells) != len(header):
        raise ValueError(f"line {line} has {len(cells)} cells, the header has {len(header)}")
    filled = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
    task = {
        name: _json(f"line {line}, column {name}", cell) if name in _AS_JSON else cell
        for name, cell in filled.items()
        if name not in _GRADERS
    }
    ours = [
        {"name": name, name: _GRADERS[name](filled[name])} for name in _GRADERS if name in filled
    ]
    if ours:
        others = task.get("graders", [])
        task["graders"] = [*ours, *others] if isinstance(others, list) else others
    return task


def _refused(message: str) -> Invalid:
    return Invalid("InvalidTasks", message)


_READERS: Final[Mapping[TaskFormat, Callable[[str], _Rows]]] = {
    TaskFormat.JSONL: _jsonl,
    TaskFormat.YAML: lambda text: items(text, DEEPEST),
    TaskFormat.CSV: _csv,
}
