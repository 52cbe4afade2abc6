"""What was found, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from turnout.cli.lint.manifests import Manifest, Place
from turnout.cli.lint.problems import Problem, dotted, value_at
from turnout.cli.lint.together import Missing
from turnout.core.quoting import quoted

LONGEST_VALUE: Final = 80
"""Characters that are shown of a value."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of one document of one file.

    Attributes:
        value: What stands there, as JSON; None where nothing does.
    """

    place: Place
    kind: str
    name: str
    problem: Problem
    value: str | None

    @property
    def label(self) -> str:
        """The document, as people name it."""
        return f"{self.kind} {self.name}".strip() or "document"

    def document(self) -> dict[str, Any]:
        """The finding for programs."""
        return {
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "severity": "warning" if self.problem.warning else "error",
            "kind": self.kind,
            "name": self.name,
            "field": dotted(self.problem.path),
            "value": self.value,
            "reason": self.problem.reason,
            "message": self.problem.message,
            "mend": self.problem.mend,
        }


def finding(manifest: Manifest, problem: Problem) -> Finding:
    """Tell where in which file a problem is."""
    value = value_at(manifest.content, problem.path)
    return Finding(
        place=manifest.place(problem.path),
        kind=quoted(manifest.named("kind")),
        name=quoted(manifest.named("name")),
        problem=problem,
        value=None if value is None else _shown(value),
    )


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return quoted(text, LONGEST_VALUE)


def finding_lines(one: Finding) -> Iterator[str]:
    """Write a finding as compilers do, so that editors and CI find the place."""
    place, problem = one.place, one.problem
    severity = "warning" if problem.warning else "error"
    field = dotted(problem.path)
    where = f"{one.label}, {quoted(field)}" if field else one.label
    head = f"{quoted(place.file)}:{place.line}:{place.column}: {severity}: "
    yield f"{head}{where}: {problem.message}"
    if one.value is not None:
        yield f"    value  {one.value}"
    if problem.mend:
        yield f"    mend   {problem.mend}"


def missing_line(missing: Iterable[Missing]) -> str:
    """Say what was not given, and so not checked."""
    each = (f"{quoted(one.kind)} {quoted(one.name)} (named by {one.by})" for one in missing)
    return f"not given, so not checked: {', '.join(each)}"
