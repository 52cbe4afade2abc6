import ctypes
import gc
import subprocess
import sys

import pytest

from turnout.runtime.process import COLLECTOR, be_thrifty

STORY = """
from pathlib import Path
from turnout.runtime.process import be_thrifty

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))

be_thrifty()
before = resident()
answers = [b"x" * (100_000 + number) for number in range(1000)]
kept = answers[-1]
held = resident()
del answers
print(held - before, resident() - before)
"""


def test_memory_of_answers_that_are_done_with_is_given_back() -> None:
    words = (sys.executable, "-c", STORY)
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    held, kept = map(int, told.split())
    assert held > 90
    assert kept < 10


def test_another_c_library_does_as_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    before = gc.get_threshold()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    try:
        be_thrifty()
        assert gc.get_threshold() == COLLECTOR
    finally:
        gc.set_threshold(*before)
