"""SIGKILL at each boundary of an action of a whole rollout: it goes on as if nothing was.

A rollout is played once without a kill, and its writes are counted by the audit log. Then it is
played again for each of them: the operator is killed once before the write is sent, and once
after the API server committed it and before the operator heard of that, and started again.
"""

import itertools
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.operator.boundaries import AFTER, BEFORE, Boundary, Loop, Player, Run, count_writes
from tests.operator.providers import Providers
from tests.operator.stage import Stage
from tests.support.audit import AuditLog
from tests.support.watching import History

pytestmark = [pytest.mark.light, pytest.mark.timeout(1800)]

AT_ONCE = 8
ATTEMPTS = 3


@dataclass(frozen=True)
class Plays:
    """The reference run, all that were killed, and every state that the API server showed.

    Attributes:
        written: Writes of the reference run, by the audit log.
    """

    reference: Run
    killed: list[Run]
    written: int
    history: History

    def starts(self, run: Run) -> dict[int, list[set[str]]]:
        """Return when each step began, rollout by rollout."""
        found: dict[int, list[set[str]]] = {}
        for (namespace, _, step), times in sorted(self.history.starts.items()):
            if namespace == run.namespace:
                found.setdefault(step, []).append(times)
        return found

    def weights(self, run: Run) -> list[dict[str, int]]:
        return self.history.weights[run.namespace]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(6, id="six a rollout"),
        pytest.param(1, id="one a rollout", marks=pytest.mark.long),
    ],
)
def plays(stage: Stage, providers: Providers, request: pytest.FixtureRequest) -> Plays:
    """Play them all, several at a time; the kills of one rollout are far apart."""
    log = AuditLog(stage.cluster)
    with History(stage.cluster) as history, Loop() as loop, ThreadPoolExecutor(AT_ONCE) as pool:
        player = Player(stage, loop)
        reference = player.play(())
        written = count_writes(log, reference.namespace)

        def play(boundaries: tuple[Boundary, ...]) -> list[Run]:
            """Play until each boundary was reached: a run may write once less than another."""
            runs: list[Run] = []
            missing = set(boundaries)
            while missing and len(runs) < ATTEMPTS:
                runs.append(player.play(tuple(missing), reference.left))
                missing -= runs[-1].kills.keys()
            return runs

        killed = itertools.chain.from_iterable(pool.map(play, _sets(written, request.param)))
        return Plays(reference, list(killed), written, history)


def _sets(writes: int, together: int) -> list[tuple[Boundary, ...]]:
    """Share all boundaries out to rollouts with so many kills each, as far apart as can be."""
    apart = -(-writes // together)
    return [
        tuple(Boundary(number, moment) for number in range(first, writes + 1, apart))
        for first in range(1, apart + 1)
        for moment in (BEFORE, AFTER)
    ]


def test_the_operator_was_killed_before_and_after_each_write(
    plays: Plays, measured: list[str]
) -> None:
    kills = Counter(kill.moment for kill in {kill for run in plays.killed for kill in run.kills})
    measured.append(
        f"kills: {kills[BEFORE]} before and {kills[AFTER]} after {plays.written} writes"
    )
    assert plays.written == plays.reference.writes
    assert {str(run): run.missed for run in plays.killed if run.missed} == {}
    assert min(kills[BEFORE], kills[AFTER]) >= min(run.writes for run in plays.killed)


def test_every_killed_rollout_ends_as_the_one_that_was_not(plays: Plays) -> None:
    expected = plays.reference.left
    others = [
        "\n  ".join((str(run), *_differences(expected, run.left)))
        for run in plays.killed
        if run.left != expected
    ]
    assert not others, "\n".join(others)


def test_no_weight_is_written_twice(plays: Plays) -> None:
    expected = plays.weights(plays.reference)
    others = {
        str(run): plays.weights(run) for run in plays.killed if plays.weights(run) != expected
    }
    assert others == {}


def test_no_step_begins_twice(plays: Plays) -> None:
    expected = {step: len(rollouts) for step, rollouts in plays.starts(plays.reference).items()}
    for run in plays.killed:
        starts = plays.starts(run)
        assert {step: len(rollouts) for step, rollouts in starts.items()} == expected, str(run)
        assert all(len(times) == 1 for rollouts in starts.values() for times in rollouts), str(run)


def _differences(one: object, other: object, path: str = "") -> list[str]:
    """Name the places at which two documents differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for key in sorted({*one, *other})
            for line in _differences(one.get(key), other.get(key), f"{path}/{key}")
        ]
    return [] if one == other else [f"{path}: {json.dumps(one)} != {json.dumps(other)}"]
