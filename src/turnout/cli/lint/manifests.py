"""Documents out of files of YAML, each value with the line that it stands in.

Read as kubectl reads them: keys are strings, a date is a string, and a key given twice is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from turnout.cli.lint.problems import ROOT, Path, Problem
from turnout.core.quoting import quoted

MOST_VALUES: Final = 1_000_000
"""Values that one document may hold once its aliases are followed."""

DEEPEST: Final = 64
"""Levels that a document may nest: more than any schema of ours has."""

_PLAIN: Final = "tag:yaml.org,2002:"
_MERGE: Final = f"{_PLAIN}merge"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; lines and columns from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True)
class Manifest:
    """One document of a file.

    Attributes:
        places: Where each value stands, by its path; a document in a List has those of its own.
        problems: What is wrong with it as YAML.
    """

    content: Any
    places: dict[Path, Place]
    problems: tuple[Problem, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Claim that nothing stands here: a separator too many."""
        return self.content is None and not self.problems

    def place(self, path: Path) -> Place:
        """Tell where a value stands, or where the nearest one around it does."""
        while path not in self.places and path:
            path = path[:-1]
        return self.places[path]

    def named(self, name: str) -> str:
        """Read a text of its first level, or of its metadata; empty where there is none."""
        content = self.content if isinstance(self.content, dict) else {}
        metadata = content.get("metadata")
        source = metadata if name in {"name", "namespace"} else content
        found = source.get(name) if isinstance(source, dict) else None
        return found if isinstance(found, str) else ""


class _Reader(yaml.SafeLoader):
    """Gives nodes one document at a time, and values of their scalars."""


def _kept(*dropped: str) -> dict[str, list[tuple[str, Any]]]:
    """YAML's own readings of plain words, without some."""
    tags = {_PLAIN + one for one in dropped}
    resolvers = yaml.SafeLoader.yaml_implicit_resolvers.items()
    return {first: [one for one in each if one[0] not in tags] for first, each in resolvers}


_Reader.yaml_implicit_resolvers = _kept("timestamp", "int", "float")
for _tag, _words in (
    ("int", r"^[-+]?(0b[01]+|0x[0-9a-fA-F]+|0o?[0-7]*|[1-9][0-9_]*)$"),
    ("float", r"^[-+]?((\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|\.inf|\.nan)$"),
):
    _Reader.add_implicit_resolver(_PLAIN + _tag, re.compile(_words), list("-+.0123456789"))


def read_manifests(file: str, text: str) -> Iterator[Manifest]:
    """Read the documents of a file; where it is no YAML the last one says so."""
    try:
        reader = _Reader(text)
        while reader.check_node():
            node = reader.get_node()
            if node is not None:
                yield from _unlisted(_Values(reader, file).manifest(node))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = quoted(str(error.problem or error.context or error))
        yield _broken(file, said, *((mark.line, mark.column) if mark else (0, 0)))
    except yaml.YAMLError as error:
        yield _broken(file, quoted(str(error)))
    except RecursionError:
        yield _broken(file, "it nests too deep to be read")


def _broken(file: str, said: str, line: int = 0, column: int = 0) -> Manifest:
    place = Place(file, line + 1, column + 1)
    return Manifest(
        None, {ROOT: place}, (Problem(ROOT, "InvalidYAML", f"this is no YAML: {said}"),)
    )


def _unlisted(manifest: Manifest) -> Iterator[Manifest]:
    """Take a List of objects apart."""
    content = manifest.content
    if not isinstance(content, dict) or not isinstance(content.get("items"), list):
        yield manifest
        return
    if content.get("apiVersion") != "v1" or not str(content.get("kind")).endswith("List"):
        yield manifest
        return
    for number, item in enumerate(content["items"]):
        way: Path = ("items", number)
        yield Manifest(
            item,
            {path[2:]: place for path, place in manifest.places.items() if path[:2] == way},
            tuple(
                Problem(one.path[2:], one.reason, one.message, one.mend)
                for one in manifest.problems
                if one.path[:2] == way
            ),
        )


@dataclass
class _Values:
    """Makes values of the nodes of one document, and notes where each stands."""

    reader: _Reader
    file: str
    places: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def manifest(self, node: Node) -> Manifest:
        return Manifest(self.value(node, ROOT), self.places, tuple(self.problems))

    def value(self, node: Node, path: Path) -> Any:
        mark = node.start_mark
        self.places[path] = Place(self.file, mark.line + 1, mark.column + 1)
        if len(self.places) > MOST_VALUES:
            raise yaml.YAMLError(f"more than {MOST_VALUES} values in one document")
        if len(path) > DEEPEST:
            self.problems.append(Problem(path, "TooDeep", f"it nests more than {DEEPEST} deep"))
            return None
        match node:
            case MappingNode():
                return self.mapping(node, path)
            case SequenceNode():
                return [self.value(item, (*path, at)) for at, item in enumerate(node.value)]
            case ScalarNode():
                return self.scalar(node, path)
            case _:
                raise yaml.YAMLError("a node of no kind")

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        own = [key.value for key, _ in node.value if key.tag != _MERGE]
        self.reader.flatten_mapping(node)
        found: dict[str, Any] = {}
        for key, item in node.value:
            name = _paired(str(key.value))
            if own.count(key.value) > 1 and name in found:
                said = f'key "{quoted(name)}" is already set in this map'
                self.problems.append(Problem((*path, name), "DuplicateKey", said))
            found[name] = self.value(item, (*path, name))
        return found

    def scalar(self, node: ScalarNode, path: Path) -> Any:
        if node.tag not in {f"{_PLAIN}{kind}" for kind in ("null", "bool", "int", "float", "str")}:
            self.problems.append(Problem(path, "InvalidYAML", f"no tag {quoted(node.tag)} here"))
            return None
        value = self.reader.construct_object(node)
        if isinstance(value, float) and not math.isfinite(value):
            self.problems.append(Problem(path, "InvalidYAML", f"{value} is no number of JSON"))
            return None
        return _paired(value) if isinstance(value, str) else value


def _paired(text: str) -> str:
    """Join what JSON writes as two halves of a character; half of one is none."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
