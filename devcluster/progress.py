"""Says what is being done, how far it is and how long it took.

On a terminal one line is redrawn; elsewhere (a log, CI) each step prints one plain line when it
starts and one when it ends.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_REDRAW_SECONDS = 0.5


class Progress:
    """A numbered list of steps on their way, written to one stream (standard error by default)."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._total = total
        self._done = 0
        self._stream = stream if stream is not None else sys.stderr
        self._live = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._began = time.monotonic()
        self._title = ""
        self._detail = ""

    def detail(self, text: str) -> None:
        """Name the part that the running step is at; shown on a terminal only."""
        self._detail = text

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show one step while the block runs, and its duration after it."""
        began = time.monotonic()
        self._title, self._detail = title, ""
        self._announce()
        ended = threading.Event()
        painter = threading.Thread(target=self._repaint, args=(began, ended), daemon=True)
        if self._live:
            painter.start()
        try:
            yield
        finally:
            ended.set()
            if self._live:
                painter.join()
        self._done += 1
        self._finish(title, time.monotonic() - began)

    def _announce(self) -> None:
        if not self._live:
            print(
                f"[{self._done + 1}/{self._total}] {self._title} ...", file=self._stream, flush=True
            )

    def _repaint(self, began: float, ended: threading.Event) -> None:
        while not ended.wait(_REDRAW_SECONDS):
            self._paint(time.monotonic() - began)

    def _paint(self, seconds: float) -> None:
        line = f"[{self._done + 1}/{self._total}] {self._title}  {_clock(seconds)}"
        if self._detail:
            line += f"  {self._detail}"
        width = shutil.get_terminal_size().columns
        self._stream.write(f"\r\x1b[K{line[: width - 1]}")
        self._stream.flush()

    def _finish(self, title: str, seconds: float) -> None:
        start = "\r\x1b[K" if self._live else ""
        total = _clock(time.monotonic() - self._began)
        print(
            f"{start}[{self._done}/{self._total}] {title}: {_clock(seconds)} (in all {total})",
            file=self._stream,
            flush=True,
        )


def silence() -> Progress:
    """Return progress that nobody reads: for tests and for programs with a screen of their own."""
    return Progress(0, io.StringIO())


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{int(rest):02d}s" if minutes else f"{rest:.1f}s"
