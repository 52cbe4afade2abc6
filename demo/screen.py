"""What the demo prints: one line as each thing happens, with the time since the start.

On a terminal a last line says what is being waited for; elsewhere there are only the lines.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.status import Status
from rich.text import Text

_WIDTHS: Final[Mapping[str, int]] = {
    "NAME": 7,
    "PHASE": 11,
    "STABLE": 18,
    "CANDIDATE": 18,
    "GATE": 41,
}
"""Widths of cells that are empty at first, so that the table stays in line when they fill."""

_PHASES: Final[Mapping[str, str]] = {
    "Healthy": "green",
    "Progressing": "cyan",
    "Held": "yellow",
    "RolledBack": "red",
    "Degraded": "bold red",
}
_INDENT: Final = "        "
_MINUTE: Final = 60


def clock(seconds: float) -> str:
    """Write a duration as minutes and seconds."""
    minutes, rest = divmod(int(seconds), _MINUTE)
    return f"{minutes}:{rest:02d}"


class Screen:
    """Prints the story to standard output."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._began = time.monotonic()
        self._columns: tuple[str, ...] = ()
        self._last: tuple[str, ...] = ()
        self._status: Status | None = None

    def title(self, text: str) -> None:
        """Begin an act."""
        self._print(Text(f"\n{text}", style="bold"))
        self._columns = ()

    def command(self, text: str) -> None:
        """Show a command that a person would type, as it is run."""
        self._print(Text.assemble((f"{self._elapsed()}$ ", "dim"), (text, "bold")))

    def say(self, text: str) -> None:
        """Tell something."""
        self._print(Text(f"{self._elapsed()}{text}"))

    def row(self, columns: Sequence[str], cells: Sequence[str]) -> None:
        """Show a row of `kubectl get -w`; one that only grew older is not shown again."""
        if tuple(columns) != self._columns:
            self._columns, self._last = tuple(columns), ()
            self._print(Text(_INDENT + _line(columns, columns), style="dim"))
        shown = tuple(cell for name, cell in zip(columns, cells, strict=True) if name != "AGE")
        if shown == self._last:
            return
        self._last = shown
        phase = cells[columns.index("PHASE")] if "PHASE" in columns else ""
        text = Text.assemble((self._elapsed(), "dim"), _line(columns, cells))
        text.highlight_words([phase] if phase in _PHASES else [], _PHASES.get(phase, ""))
        self._print(text)

    def event(self, reason: str, message: str, *, warning: bool) -> None:
        """Show a Kubernetes Event."""
        style = "yellow" if warning else "blue"
        kind = "Warning" if warning else "Event"
        self._print(Text.assemble((self._elapsed(), "dim"), (f"{kind} {reason}: ", style), message))

    def check(self, name: str, detail: str, *, held: bool) -> None:
        """Show what became of an expectation."""
        mark = ("ok      ", "bold green") if held else ("FAILED  ", "bold red")
        self._print(Text.assemble(mark, name, (f"  {detail}" if detail else "", "dim")))

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Show rows of cells in columns: the first to the left, the others to the right."""
        widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
        for row in rows:
            first, *others = (
                f"{cell:<{width}}" if at == 0 else f"{cell:>{width}}"
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            self._print(Text("   ".join([first, *others])))

    def lines(self, text: str) -> None:
        """Show text as it is."""
        self._print(Text(text))

    def wait(self, text: str | None) -> None:
        """Say on a terminal's last line what is being waited for; None says nothing."""
        if not self._console.is_terminal:
            return
        if text is None:
            if self._status is not None:
                self._status.stop()
            self._status = None
        elif self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def _elapsed(self) -> str:
        return f"{clock(time.monotonic() - self._began):>6}  "

    def _print(self, text: Text) -> None:
        self._console.print(text)


def _line(columns: Sequence[str], cells: Sequence[str]) -> str:
    widths = (max(len(name), _WIDTHS.get(name, 0)) for name in columns)
    padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return "   ".join(padded).rstrip()
