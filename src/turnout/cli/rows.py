"""Rows whose cells stand under one another."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], gap: str = "   ") -> list[str]:
    """Write rows of equally many cells, each as wide as the widest of its column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        gap.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
