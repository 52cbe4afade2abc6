"""Task `results`: what did the person's containers leave, now that they have ended?

This runs as a native sidecar. The kubelet starts it before them and asks it to end (SIGTERM) once
the last of them has ended; until then it waits. What they left is a foreign file: it is opened
only where it is a plain one, and read by bounds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from turnout.core.suites.counts import Counts
from turnout.core.suites.reported import Reported
from turnout.core.suites.tally import Round
from turnout.errors import Invalid, TaskFailed
from turnout.evals.results.bounds import MOST_BYTES
from turnout.evals.results.formats import Format
from turnout.evals.results.reading import Reading, read
from turnout.jobs.reach import Reach

_PLAIN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
"""A link would lead out of the volume, and a pipe never end."""


async def run(description: Mapping[str, Any], reach: Reach) -> Mapping[str, Any]:
    """Wait for the containers, then count the trials that their files tell of.

    Raises:
        TaskFailed: A file is missing or cannot be read; `NoResult` or `UnparsableResult`.
    """
    del reach
    began = asyncio.get_running_loop().time()
    await _asked_to_end(Path(description["ready"]))
    how = Reading(
        Format(description["format"]),
        {name: float(score) for name, score in description["thresholds"].items()},
    )
    counts = {one["role"]: _counted(one, how) for one in description["results"]}
    own, other = counts["candidate"], counts.get("baseline", {})
    seconds = round(asyncio.get_running_loop().time() - began)
    names = tuple(dict.fromkeys((*own, *other)))
    return Reported(names, (Round(own, other),), seconds=seconds).counted()


async def _asked_to_end(ready: Path) -> None:
    """Wait for SIGTERM; the first process of a container gets none that it does not wait for."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, asked.set)
    try:
        _tell(ready)
        await asked.wait()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def _tell(ready: Path) -> None:
    ready.touch()


def _counted(file: Mapping[str, str], how: Reading) -> Counts:
    role = file["role"]
    try:
        return read(_content(Path(file["path"])), how)
    except OSError as error:
        told = f"the {role}'s containers left no file that can be read ({error.strerror})"
        raise TaskFailed("NoResult", told) from error
    except Invalid as error:
        raise TaskFailed(error.reason, f"the {role}'s: {error.message}") from None


def _content(path: Path) -> bytes:
    """Read a file, one byte more than is taken at most."""
    with os.fdopen(os.open(path, _PLAIN), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Invalid("UnparsableResult", "what was left is no plain file")
        return file.read(MOST_BYTES + 1)
