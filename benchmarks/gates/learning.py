"""What a gate learns about noise from stable's own pods, before a rollout."""

import numpy as np

from benchmarks.gates.noise import Noise
from benchmarks.gates.run import row
from benchmarks.gates.streams import Stream


def learned(before: Stream) -> Noise:
    """Take looks at two groups of stable pods."""
    noise, rows = Noise.unknown(before.repetitions), np.arange(before.repetitions)
    for number in range(before.looks):
        noise.look(rows, row(before, number, rows))
    return noise
