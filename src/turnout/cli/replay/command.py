"""`turnout gate replay`: recorded looks through the production gate, a line for each."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from turnout.api.rollout_status import Verdict
from turnout.cli.exits import Exit
from turnout.cli.replay.gatefile import GateFile, read_gate
from turnout.cli.replay.recorded import Look, read_looks, windows
from turnout.core.looks import Window
from turnout.core.sequential.findings import Metric, find
from turnout.core.sequential.tally import Tally, begin, follow
from turnout.core.sequential.verdicts import Policy, decide


@dataclass
class Stream:
    """One rollout under way: its evidence, and the verdict so far."""

    metrics: Mapping[str, Metric]
    policy: Policy
    tallies: dict[str, Tally] = field(init=False)
    asked_since: float | None = None
    verdict: Verdict = Verdict.CONTINUE

    def __post_init__(self) -> None:
        self.tallies = {name: begin(one.terms) for name, one in self.metrics.items()}

    def take(self, metric: str, look: Window) -> Tally:
        """Take a look in, and judge all metrics."""
        tally = follow(self.tallies[metric], look, self.metrics[metric].terms)
        self.tallies[metric] = tally
        if self.asked_since is None and look.candidate.total > 0.0:
            self.asked_since = look.start
        age = 0.0 if self.asked_since is None else look.end - self.asked_since
        found = [find(self.metrics[name], [one]) for name, one in self.tallies.items()]
        self.verdict = decide(found, self.policy, age, self.verdict).verdict
        return tally


def replay(gate_path: str, looks_path: str) -> Exit:
    """Print what the gate says after each recorded look; what it cannot judge is told beside.

    Raises:
        Invalid: the gate or a look cannot be used.
    """
    gate = read_gate(gate_path)
    return judge(gate, read_looks(looks_path, gate))


def judge(gate: GateFile, looks: Sequence[Look]) -> Exit:
    """Print what the gate says after each look of its metrics."""
    streams = _streams(gate, looks)
    for note in _notes(gate, looks):
        tell(note)
    for look, window in windows(looks):
        stream = streams[look.stream]
        tally = stream.take(look.metric, window)
        sys.stdout.write(_line(look, tally, stream.verdict))
    sys.stderr.write(f"{_summary(streams)}\n")
    return Exit.DONE


def tell(note: str) -> None:
    """Tell a person what the answer leaves out."""
    sys.stderr.write(f"note: {note}\n")


def _streams(gate: GateFile, looks: Sequence[Look]) -> dict[str, Stream]:
    """Begin each stream with the metrics that it has."""
    had: dict[str, dict[str, None]] = {}
    for look in looks:
        had.setdefault(look.stream, {})[look.metric] = None
    return {
        stream: Stream({name: gate.metrics[name] for name in names}, gate.policy)
        for stream, names in had.items()
    }


def _line(look: Look, tally: Tally, verdict: Verdict) -> str:
    document = {
        "stream": look.stream,
        "at": look.at,
        "metric": look.metric,
        "evidence_worse": tally.worse.evidence,
        "evidence_safe": tally.safe.evidence,
        "regression": tally.recent.drop,
        "verdict": verdict.value,
    }
    return json.dumps(document, ensure_ascii=False) + "\n"


def _notes(gate: GateFile, looks: Sequence[Look]) -> Iterator[str]:
    for name, why in gate.uncounted.items():
        yield f"metric {name} is left out: {why}"
    without = gate.metrics.keys() - {look.metric for look in looks}
    for name in gate.metrics:
        if name in without:
            yield f"metric {name} is left out: no look has it"
    if gate.unread:
        fields = ", ".join(gate.unread)
        yield f"looks are taken as they were counted, whatever the gate says of {fields}"


def _summary(streams: Mapping[str, Stream]) -> str:
    ends = Counter(one.verdict for one in streams.values())
    parts = (f"{ends[verdict]} {verdict.value}" for verdict in Verdict)
    return f"{len(streams)} streams: {', '.join(parts)}"
