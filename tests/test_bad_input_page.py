"""The page about bad input names tests and fields that are there."""

import re
from pathlib import Path

import pytest

from tests.api.admission_rows import (
    BAD_AGENTS,
    BAD_CONTENT,
    BAD_RECORDS,
    BAD_STRATEGIES,
    BAD_SUITES,
)

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/bad-input.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "shown by" not in line]
ALL = (*BAD_AGENTS, *BAD_CONTENT, *BAD_RECORDS, *BAD_STRATEGIES, *BAD_SUITES)
FIELDS = {row[1] for row in ALL}


@pytest.mark.parametrize("row", ROWS)
def test_each_row_is_shown_by_what_is_there(row: str) -> None:
    shown = re.findall(r"`([^`]+)`", row.rsplit(" | ", maxsplit=1)[-1])
    assert shown, row
    for one in shown:
        path, _, name = one.partition("::")
        if name:
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), one
        else:
            assert any(one in field for field in FIELDS), one
