"""JUnit XML, as pytest and most other test runners write it.

A task is a test case, by class and name. `pytest-repeat` puts `[2-5]` behind the name of the
second of five trials; a parameter may look the same, so the marks are taken off only where all are
there. promptfoo numbers its cases through, repeats too: `test 7: refund`; the number is left out. A
skipped test is no trial of its task.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from turnout.core.suites.counts import Trials
from turnout.evals.results.bounds import DEEPEST, MOST_TASKS, Trial, refused, tallied

MOST_CASES: Final = MOST_TASKS * 100

_REPEAT = re.compile(r"(?P<name>.*)(?P<open>[\[-])(?P<number>[0-9]{1,4})-(?P<of>[0-9]{1,4})\]")
_NUMBERED = re.compile(r"test [0-9]{1,6}: (?P<name>.+)")
_PROMPTFOO: Final = "promptfoo"
_ENDS: Final = {"failure": False, "error": None}


@dataclass
class _Case:
    """One test case while it is read."""

    name: str
    ends: list[bool | None] = field(default_factory=list)
    is_skipped: bool = False

    @property
    def passed(self) -> bool | None:
        """What became of it: an error leaves it open, whatever else stands there."""
        if None in self.ends:
            return None
        return False not in self.ends


class _Report:
    """Takes what the parser meets."""

    def __init__(self) -> None:
        self.cases: list[_Case] = []
        self._open: list[str] = []
        self._is_numbered = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        parent = self._open[-1] if self._open else ""
        self._open.append(tag)
        if len(self._open) > DEEPEST:
            raise refused(f"the file nests more than {DEEPEST} deep")
        if not parent and tag not in {"testsuites", "testsuite"}:
            raise refused("the file is XML, and no JUnit report")
        if not parent:
            self._is_numbered = attributes.get("name") == _PROMPTFOO
        if tag == "testcase":
            self._begin(attributes)
        elif parent == "testcase":
            self._note(tag)

    def end(self, _tag: str) -> None:
        self._open.pop()

    def _begin(self, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "")
        if not name:
            raise refused(f"test case {len(self.cases) + 1} has no name")
        if len(self.cases) == MOST_CASES:
            raise refused(f"the file has more than {MOST_CASES} test cases")
        suite = attributes.get("classname", "")
        numbered = _NUMBERED.fullmatch(name) if self._is_numbered else None
        name = numbered["name"] if numbered else name
        self.cases.append(_Case(f"{suite}.{name}" if suite else name))

    def _note(self, tag: str) -> None:
        case = self.cases[-1]
        if tag == "skipped":
            case.is_skipped = True
        elif tag in _ENDS:
            case.ends.append(_ENDS[tag])


def read(text: str) -> dict[str, Trials]:
    """Count the trials of each task.

    Raises:
        Invalid: It is no well-formed JUnit report, or it declares a document type, which could
            hold entities.
    """
    report = _Report()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = report.start
    parser.EndElementHandler = report.end
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        said = expat.ErrorString(error.code)
        where = f"line {error.lineno}, column {error.offset + 1}"
        raise refused(f"the file is not XML at {where}: {said}") from None
    names = _without_repeats([case.name for case in report.cases])
    cases = list(zip(names, report.cases, strict=True))
    trials = [Trial(name, case.passed) for name, case in cases if not case.is_skipped]
    return tallied(trials, names)


def _no_doctype(*_declared: object) -> None:
    raise refused(
        "the file declares a document type; reports have none, and it could hold entities"
    )


def _without_repeats(names: Sequence[str]) -> list[str]:
    """Take the marks of repeated trials off, where all trials of a task are there."""
    marks = [_REPEAT.fullmatch(name) for name in names]
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for mark in marks:
        if mark:
            groups[_bare(mark), int(mark["of"])].append(int(mark["number"]))
    whole = {key for key, numbers in groups.items() if _is_whole(numbers, key[1])}
    alone = {bare for bare, _ in whole if sum(name == bare for name, _ in groups) == 1}
    return [
        _bare(mark)
        if mark and _bare(mark) in alone and (_bare(mark), int(mark["of"])) in whole
        else name
        for mark, name in zip(marks, names, strict=True)
    ]


def _is_whole(numbers: Iterable[int], of: int) -> bool:
    return sorted(numbers) == list(range(1, of + 1)) and of > 1


def _bare(mark: re.Match[str]) -> str:
    return mark["name"] + ("]" if mark["open"] == "-" else "")
