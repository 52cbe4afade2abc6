"""`python -m loadgen`: a bounded load, and its books."""

import argparse
import asyncio
import json
import re
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from .books import Books
from .load import Load, run

_MOST_RATE = 500.0
_MOST_SECONDS = 24 * 3600.0


def main() -> None:
    """Read the command line, send the load, write the summary."""
    arguments = _parser().parse_args()
    load = Load(
        url=arguments.url.rstrip("/"),
        host=arguments.host_header,
        rate=arguments.rate,
        duration=arguments.duration,
        most=arguments.max_requests,
        seed=arguments.seed,
        timeout=arguments.timeout,
        streamed=arguments.stream_share,
    )
    with ExitStack() as files:
        requests = _open(arguments.requests, files)
        books = Books(requests)
        asyncio.run(_run(load, books))
    summary = json.dumps(books.summary(), indent=2) + "\n"
    if arguments.summary is None:
        sys.stdout.write(summary)
    else:
        arguments.summary.write_text(summary)


async def _run(load: Load, books: Books) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(load, books, stop)


def _open(path: Path | None, files: ExitStack) -> TextIO | None:
    return None if path is None else files.enter_context(path.open("w"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loadgen",
        description="Sends customers' messages to a support agent, at a steady rate and for a "
        "limited time; SIGTERM ends it early, with a summary.",
    )
    add = parser.add_argument
    add("--url", required=True, help="where the agent or its gateway listens")
    add("--host-header", help="the Host header, where it is not the URL's")
    add("--rate", type=_rate, default=5.0, help="requests a second (default 5)")
    add("--duration", type=_seconds, default=60.0, help="like 90s, 5m or 1h (default 60s)")
    add("--max-requests", type=int, default=100_000, help="at most so many (default 100000)")
    add("--seed", type=int, default=1, help="of the messages; the same seed repeats them")
    add("--timeout", type=_seconds, default=30.0, help="for one answer (default 30s)")
    add("--stream-share", type=float, default=0.25, help="share of streamed requests (0.25)")
    add("--requests", type=Path, help="write a JSON line a request to this file, as it ends")
    add("--summary", type=Path, help="write the summary to this file (default: to the output)")
    return parser


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= _MOST_RATE:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most {_MOST_RATE:g}")
    return rate


def _seconds(text: str) -> float:
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", text)
    if not parts or not parts.group():
        raise argparse.ArgumentTypeError("must be a duration like 90s or 5m")
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if not 0 < total <= _MOST_SECONDS:
        raise argparse.ArgumentTypeError("must be above 0 and at most 24h")
    return total


if __name__ == "__main__":
    main()
