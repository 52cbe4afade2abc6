"""`turnout lint`: read files, check what is in them, tell what was found."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Final

from turnout.cli.exits import Exit
from turnout.cli.files import STDIN, called, text_of
from turnout.cli.lint.findings import Finding, finding, finding_lines, missing_line
from turnout.cli.lint.manifests import Manifest, read_manifests
from turnout.cli.lint.objects import Checked, checked, is_ours
from turnout.cli.lint.problems import Problem
from turnout.cli.lint.together import Missing, Together
from turnout.cli.options import Form
from turnout.cli.screen import emit

SUFFIXES: Final = {".yaml", ".yml", ".json"}


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    Attributes:
        objects: Number of objects of our kinds that were looked at.
        others: Number of documents that were passed over: they are of other groups.
    """

    findings: tuple[Finding, ...]
    missing: tuple[Missing, ...]
    objects: int
    others: int

    @property
    def clean(self) -> bool:
        """Claim that the cluster would take all of it."""
        return all(one.problem.warning for one in self.findings)


def lint(paths: Sequence[str], form: Form) -> Exit:
    """Check files, directories and standard input, and tell what was found.

    Raises:
        Invalid: a path cannot be read.
    """
    outcome = look([manifest for path in paths for manifest in _read(path)])
    if form is Form.TEXT:
        sys.stdout.writelines(f"{line}\n" for line in _lines(outcome))
    else:
        emit(form, "Lint", _document(outcome))
    return Exit.DONE if outcome.clean else Exit.FOUND


def look(manifests: Sequence[Manifest]) -> Outcome:
    """Check documents, each by itself and all together."""
    ours = [checked(one) for one in manifests if is_ours(one)]
    others = [one for one in manifests if not is_ours(one) and not one.is_empty]
    config_maps = [one for one in others if _is_config_map(one)]
    together = Together(ours, config_maps)
    broken = [one for one in others if one.content is None]
    found = [finding(one, problem) for one in broken for problem in one.problems]
    seen: dict[tuple[str, ...], Manifest] = {}
    for one in ours:
        problems = (*one.problems, *_twice(one, seen), *together.problems(one))
        found += [finding(one.manifest, problem) for problem in problems]
    found.sort(key=lambda one: (one.place.file, one.place.line, one.place.column))
    return Outcome(tuple(found), tuple(sorted(together.missing)), len(ours), len(others))


def _twice(one: Checked, seen: dict[tuple[str, ...], Manifest]) -> Iterator[Problem]:
    """Say that an object was given before, or note it: applied together, the later one wins."""
    names = tuple(one.manifest.named(word) for word in ("kind", "namespace", "name"))
    first = seen.setdefault(names, one.manifest)
    if first is not one.manifest:
        place = first.place(())
        said = f"the same object stands in {place.file}, line {place.line}"
        yield Problem(("metadata", "name"), "GivenTwice", said, warning=True)


def _is_config_map(one: Manifest) -> bool:
    return one.named("apiVersion") == "v1" and one.named("kind") == "ConfigMap"


def _read(path: str) -> Iterator[Manifest]:
    for file in [path] if path == STDIN else _files(FilePath(path)):
        yield from read_manifests(called(file), text_of(file))


def _files(path: FilePath) -> list[str]:
    """List the manifests of a directory and those below it; a file is taken whatever its name."""
    if not path.is_dir():
        return [str(path)]
    found = (one for one in path.rglob("*") if one.suffix in SUFFIXES and one.is_file())
    return [str(one) for one in sorted(found)]


def _lines(outcome: Outcome) -> Iterator[str]:
    for one in outcome.findings:
        yield from finding_lines(one)
    if outcome.missing:
        yield missing_line(outcome.missing)
    errors = sum(not one.problem.warning for one in outcome.findings)
    warnings = len(outcome.findings) - errors
    yield (
        f"{outcome.objects} objects: {errors} errors, {warnings} warnings"
        f"; {outcome.others} documents of other kinds passed over"
    )


def _document(outcome: Outcome) -> dict[str, object]:
    return {
        "objects": outcome.objects,
        "others": outcome.others,
        "findings": [one.document() for one in outcome.findings],
        "notGiven": [{"kind": one.kind, "name": one.name, "by": one.by} for one in outcome.missing],
    }
