"""Files that a person names, and standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from turnout.errors import Invalid

STDIN: Final = "-"


def text_of(path: str) -> str:
    """Read a file, or standard input where the path is -.

    Raises:
        Invalid: it cannot be read, or is no UTF-8.
    """
    content = sys.stdin.buffer.read() if path == STDIN else _bytes(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("Unreadable", f"{called(path)} is not UTF-8 at byte {error.start}") from None


def called(path: str) -> str:
    """Name a file for people."""
    return "stdin" if path == STDIN else path


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Invalid("Unreadable", f"{path}: {error.strerror}") from None
