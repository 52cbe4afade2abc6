"""What is shown and how: colour where it is seen, plain elsewhere, JSON and YAML on request."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TextIO

import yaml
from rich.console import Console
from rich.text import Text

from turnout.cli.options import Form
from turnout.core.quoting import quoted

WIDTH: Final = 100
"""Columns where the output is no terminal."""

API_VERSION: Final = "cli.turnout.dev/v1alpha1"
"""Version of what `-o json` and `-o yaml` print."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Signs that stand beside words, never in place of them."""

    done: str = "✔"
    bad: str = "✖"
    now: str = "◐"
    full: str = "●"
    empty: str = "○"
    to: str = "→"
    bar: str = "█"
    rest: str = "░"
    few: str = "·"
    dash: str = "─"
    branch: str = "├─ "
    last: str = "└─ "
    down: str = "│  "


_ASCII: Final = Marks(
    "+", "x", "~", "*", "o", "->", "#", ".", ".", "-", branch="|- ", last="`- ", down="|  "
)


def marks_of(stream: TextIO) -> Marks:
    """Choose signs that a stream's encoding can say."""
    wanted = Marks()
    try:
        (wanted.done + wanted.bar + wanted.now).encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _ASCII
    return wanted


def screen(stream: TextIO | None = None) -> Console:
    """Return a console for a stream: colour only on a terminal, and never with NO_COLOR."""
    chosen = stream or sys.stdout
    width = None if chosen.isatty() else WIDTH
    return Console(file=chosen, width=width, highlight=False, markup=False, emoji=False)


def say(text: str) -> None:
    """Tell a person something that is not the answer itself."""
    screen(sys.stderr).print(text, soft_wrap=True)


def emit(form: Form, kind: str, content: Mapping[str, Any]) -> None:
    """Print an answer for programs."""
    document = {"apiVersion": API_VERSION, "kind": kind, **content}
    if form is Form.JSON:
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    else:
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=WIDTH)
    sys.stdout.write(text)


def tell(form: Form, kind: str, content: Mapping[str, Any], lines: Iterable[Text]) -> None:
    """Print an answer for programs, or its lines for people, whole where no terminal shows them."""
    if form is not Form.TEXT:
        emit(form, kind, content)
        return
    console = screen()
    for line in lines:
        console.print(line, soft_wrap=not console.is_terminal)


def safe(text: str) -> str:
    """Return foreign text of any length without marks that steer a terminal."""
    return "\n".join(quoted(line, len(line) * 10 + 1) for line in text.split("\n"))
