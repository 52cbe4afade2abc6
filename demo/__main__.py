"""`python -m demo`: play the story; `python -m demo down`: take everything away again."""

import argparse
import asyncio
import sys

from demo import stage
from demo.errors import DemoError
from demo.play import play
from demo.screen import Screen
from devcluster import ClusterError

_INTERRUPTED = 130


def main() -> int:
    """Run one command; 0 only if everything happened that had to."""
    asked = _parser().parse_args()
    try:
        return _down() if asked.command == "down" else _play(asked.rate)
    except (DemoError, ClusterError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; the cluster is still there: make demo-down", file=sys.stderr)
        return _INTERRUPTED


def _play(rate: float) -> int:
    screen = Screen()
    ready = stage.set_up()
    return 0 if asyncio.run(play(ready, screen, rate)) else 1


def _down() -> int:
    there = stage.clear()
    print(f"cluster {stage.name()}: " + ("gone" if there else "there was none"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("play", "down"), default="play")
    parser.add_argument(
        "--rate", type=float, default=8.0, help="messages of customers a second (default 8)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
