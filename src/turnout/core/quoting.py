"""Text that others wrote, made safe to show: bounded, and without marks that steer a terminal."""

import unicodedata
from typing import Final

FOREIGN_LIMIT: Final = 256
"""Characters of foreign text that are shown at most."""

_STEERING = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def quoted(text: str, limit: int = FOREIGN_LIMIT) -> str:
    r"""Return foreign text on one line, at most `limit` characters, with every mark escaped.

    Control, format (bidi overrides, zero widths), surrogate and line separator characters are
    written as `\u202e`.
    """
    shown = "".join(
        char if unicodedata.category(char) not in _STEERING else _escape(char)
        for char in text[: limit + 1]
    )
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
