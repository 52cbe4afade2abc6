"""How often a gate is wrong, and how soon it is right: ours beside those of others.

    python -m benchmarks.gates --seed 7 [--repetitions 2000] [--out tables.txt]
    python -m benchmarks.gates --quick
    python -m benchmarks.gates --production

The exit code is not 0 where a target is missed.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.gates import (
    breaks,
    costs,
    efficiency,
    evals,
    lowtraffic,
    metrics,
    nulls,
    regressions,
    rollouts,
    splits,
    traps,
)
from benchmarks.gates.bench import Bench
from benchmarks.gates.report import Section, Target, scoreboard

FULL, QUICK = 2000, 200
SECTIONS: tuple[Callable[[Bench], Section], ...] = (
    nulls.run,
    regressions.run,
    efficiency.run,
    traps.run,
    breaks.run,
    rollouts.run,
    lowtraffic.run,
    evals.run,
    metrics.run,
    costs.run,
    splits.run,
)
STREAMS = 2000
"""Streams on which the twin must agree with the production gate."""


def main(arguments: list[str] | None = None) -> int:
    """Print every table and the targets; the exit code says whether all were met."""
    asked = _parser().parse_args(arguments)
    began = time.monotonic()
    count = QUICK if asked.quick else asked.repetitions
    bench = Bench(asked.seed, count, asked.production)
    parts = [f"# Gates: seed {asked.seed}, {count} repetitions"]
    targets: list[Target] = []
    for run in (*SECTIONS, _agreement):
        section = run(bench)
        print(f"{time.monotonic() - began:4.0f} s  {section.title}", file=sys.stderr)
        parts.append(str(section))
        targets += section.targets
    parts.append("## Targets (met: found less two standard errors does not exceed it)")
    parts.append(scoreboard(targets))
    text = "\n\n".join(parts)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n")
    return int(not all(one.met for one in targets))


def _agreement(bench: Bench) -> Section:
    return bench.ledger.section(0 if bench.production else STREAMS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1, help="of all random numbers")
    parser.add_argument("--repetitions", type=int, default=FULL, help="of a scenario")
    parser.add_argument("--quick", action="store_true", help=f"only {QUICK} repetitions")
    parser.add_argument("--production", action="store_true", help="no twin: slow")
    parser.add_argument("--out", type=Path, help="file for the tables")
    return parser


if __name__ == "__main__":
    sys.exit(main())
