"""What is wrong with a manifest: where, why, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

Path = tuple[str | int, ...]
"""Way to a value in a document: names of fields and places in lists."""

ROOT: Final[Path] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a document.

    Attributes:
        path: The field.
        reason: One CamelCase word, for scripts.
        message: What is wrong, in the words of the API server or of the operator.
        mend: What to write instead; empty where the message says it.
        warning: It is taken as it is, and may still surprise.
    """

    path: Path
    reason: str
    message: str
    mend: str = ""
    warning: bool = False


def dotted(path: Path) -> str:
    """Write a path as people do: spec.tools[0].name."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def value_at(document: Any, path: Path) -> Any:
    """Read the value at a path; None where there is nothing."""
    for part in path:
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
        else:
            return None
    return document
