"""The strategy and the gate of a file: a RolloutStrategy, an Agent with its own, or the blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from turnout.api.base import API_VERSION
from turnout.api.strategy import RolloutStrategy, RolloutStrategySpec
from turnout.cli.files import called, text_of
from turnout.cli.lint.findings import Finding, finding
from turnout.cli.lint.manifests import Manifest, read_manifests
from turnout.cli.lint.objects import checked, is_ours
from turnout.cli.lint.problems import Path, Problem
from turnout.errors import Invalid

_PARTS: Final = ("strategy", "gate")
_SPEC: Final[Path] = ("spec",)


@dataclass(frozen=True)
class StrategyFile:
    """What a file asks for.

    Attributes:
        spec: The steps and the gate; None where they cannot be taken.
        findings: What is wrong with them, and what may surprise.
    """

    spec: RolloutStrategySpec | None
    findings: tuple[Finding, ...]


def read_strategy(path: str) -> StrategyFile:
    """Read the one strategy of a file, held to its schema and rules as the API server does.

    Raises:
        Invalid: the file cannot be read, or has none or more than one.
    """
    manifests = [one for one in read_manifests(called(path), text_of(path)) if not one.is_empty]
    unread = [one for one in manifests if one.content is None]
    broken = [finding(one, problem) for one in unread for problem in one.problems]
    if broken:
        return StrategyFile(None, tuple(broken))
    found = list(_blocks(manifests))
    if len(found) != 1:
        raise Invalid(
            "NoStrategy",
            f"{called(path)} has {len(found)} strategies, not one: write a RolloutStrategy, "
            "an Agent with strategy and gate, or just these two blocks",
        )
    return _taken(*found[0])


def _blocks(manifests: Sequence[Manifest]) -> Iterator[tuple[Manifest, Path]]:
    """Find each block of a strategy and a gate, and where in its document it stands."""
    for one in manifests:
        content = one.content if isinstance(one.content, dict) else {}
        if not is_ours(one):
            if "kind" not in content and content.keys() & set(_PARTS):
                yield one, ()
        elif one.named("kind") == "RolloutStrategy" or _has_own(one, content):
            yield one, _SPEC


def _has_own(one: Manifest, content: dict[str, Any]) -> bool:
    spec = content.get("spec")
    return one.named("kind") == "Agent" and isinstance(spec, dict) and "strategy" in spec


def _taken(manifest: Manifest, root: Path) -> StrategyFile:
    looked_at = checked(_alone(manifest, root))
    findings = tuple(
        finding(manifest, replace(one, path=_outer(one.path, root))) for one in looked_at.problems
    )
    strategy = looked_at.resource
    return StrategyFile(strategy.spec if isinstance(strategy, RolloutStrategy) else None, findings)


def _alone(manifest: Manifest, root: Path) -> Manifest:
    """Make a RolloutStrategy of the block, whose values stand where they stood."""
    block = manifest.content["spec"] if root else manifest.content
    parts = block if isinstance(block, dict) else {}
    content = {
        "apiVersion": API_VERSION,
        "kind": "RolloutStrategy",
        "metadata": {"name": "simulated"},
        "spec": {name: parts[name] for name in _PARTS if name in parts},
    }
    length = len(root)
    places = {
        (*_SPEC, *path[length:]): place
        for path, place in manifest.places.items()
        if path[:length] == root
    }
    places[()] = manifest.place(())
    return Manifest(content, places, tuple(_of_block(manifest.problems, root)))


def _of_block(problems: Iterable[Problem], root: Path) -> Iterator[Problem]:
    length = len(root)
    for one in problems:
        path = one.path[length:]
        if one.path[:length] == root and path and path[0] in _PARTS:
            yield replace(one, path=(*_SPEC, *path))


def _outer(path: Path, root: Path) -> Path:
    """Tell where in its own document something of the block stands."""
    return path if path[:1] != _SPEC else (*root, *path[1:])
