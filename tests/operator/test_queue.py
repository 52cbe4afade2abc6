"""One shared Prompt and many Agents, where only so many rollouts may run at once."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.operator.providers import Providers
from tests.operator.stage import Stage
from tests.operator.team import (
    AGENTS,
    PROMPTS,
    QUICK_GATE,
    ROLLOUTS,
    UNTIL_PROMOTED,
    Team,
    new_team,
)
from tests.support.audit import AuditLog
from tests.support.kubectl import eventually
from tests.support.manifests import agent, metric, prompt, strategy
from tests.support.operator import OperatorProcess

pytestmark = pytest.mark.light

LIMIT = 3
OVER = {"Promoted", "Superseded"}

_counted = itertools.count(1)


@dataclass
class Fleet:
    """Agents of one namespace that share a Prompt, and their operator."""

    team: Team
    stage: Stage
    limit: int
    operator: OperatorProcess
    most: int = 0
    begun: dict[str, str] = field(default_factory=dict)

    def deploys(self, number: int) -> None:
        """Make so many agents; first versions run at once, however many they are."""
        way = {"strategy": strategy(UNTIL_PROMOTED, scaleDownDelay="1s"), "gate": QUICK_GATE}
        agents = [agent(replicas=1, **way) for _ in range(number)]
        for at, one in enumerate(agents):
            one["metadata"] = {"name": f"agent-{at:02d}"}
        self.team.ada.apply(prompt(), metric(), *agents)
        eventually(
            "all are healthy", lambda: self.phases() == {"Healthy": number}, _patience(number)
        )

    def changes_prompt(self, text: str) -> None:
        self.team.ada.patch(PROMPTS, "support-system", {"spec": {"text": text}})

    def phases(self) -> Counter[str]:
        found = self.team.admin.list(AGENTS)
        return Counter(one.get("status", {}).get("phase") for one in found)

    def places(self) -> dict[str, tuple[int, int]]:
        """Return who waits, with its place and the number of all that wait."""
        found = {
            one["metadata"]["name"]: (one["status"].get("rollout") or {}).get("queue")
            for one in self.team.admin.list(AGENTS)
        }
        return {name: (one["position"], one["of"]) for name, one in found.items() if one}

    def running(self) -> list[str]:
        """Return the rollouts under way, first versions aside; never more than may be."""
        counted = [one for one in self.team.admin.list(ROLLOUTS) if "from" in one["spec"]]
        for one in counted:
            started = one.get("status", {}).get("startedAt")
            if started:
                self.begun[one["spec"]["agent"]] = started
        running = [one for one in counted if one.get("status", {}).get("phase") not in OVER]
        self.most = max(self.most, len(running))
        assert len(running) <= self.limit
        return [one["metadata"]["name"] for one in running]

    def promotes(self) -> None:
        """Promote whatever runs, as a person does."""
        for name in self.running():
            promote: dict[str, Any] = {"mode": "Full", "by": "bo"}
            self.team.changes_rollout(self.team.bo, name, promote=promote)

    def replaces_operator(self) -> None:
        self.operator.kill()
        self.operator = _operator(self.stage, self.limit, self.team).start()
        self.operator.await_lead()


def _patience(number: int) -> float:
    """Seconds that so many agents may take on a busy machine."""
    return 60.0 + 4.0 * number


def _operator(stage: Stage, limit: int, team: Team) -> OperatorProcess:
    """An operator of this namespace alone: rollouts that others left running do not count."""
    served = [team.namespace]
    name = f"queue-{next(_counted)}"
    return stage.operator(name, maxConcurrentRollouts=limit, namespaces=served)


def _fleet(stage: Stage, limit: int) -> Iterator[Fleet]:
    team = new_team(stage.cluster, "queue")
    with _operator(stage, limit, team).start() as operator:
        operator.await_lead()
        fleet = Fleet(team, stage, limit, operator)
        yield fleet
        fleet.operator.stop()
        admin = fleet.team.admin
        admin.run("delete", "namespace", fleet.team.namespace, "--wait=false")


@pytest.fixture
def fleet(stage: Stage, providers: Providers) -> Iterator[Fleet]:
    yield from _fleet(stage, LIMIT)


@pytest.fixture
def large_fleet(stage: Stage, providers: Providers) -> Iterator[Fleet]:
    yield from _fleet(stage, 5)


def _queue_up(fleet: Fleet, number: int) -> AuditLog:
    """Change what all share, and see the limit run and the rest wait in their order."""
    fleet.deploys(number)
    log = AuditLog(fleet.stage.cluster)
    fleet.changes_prompt("Be brief.")
    waiting = number - fleet.limit

    def told() -> bool:
        places = fleet.places()
        return sorted(places.values()) == [(at, waiting) for at in range(1, waiting + 1)]

    eventually(f"{waiting} wait, each in its place", told, _patience(number))
    assert len(fleet.running()) == fleet.limit
    assert fleet.phases()["Queued"] == waiting
    return log


def _until_all_are_promoted(fleet: Fleet, number: int) -> None:
    def done() -> bool:
        fleet.promotes()
        return len(fleet.begun) == number and not fleet.running()

    eventually("every agent had its turn", done, 3 * _patience(number), pause=0.3)
    eventually("all are healthy", lambda: fleet.phases() == {"Healthy": number})
    assert fleet.places() == {}


def _writes(fleet: Fleet, log: AuditLog) -> Counter[str]:
    """Count the statuses written, by agent."""
    resource = "agents.turnout.dev/status"
    found = log.requests(resource=resource, namespace=fleet.team.namespace, writes=True)
    return Counter(one.name for one in found)


def test_the_rest_waits_for_its_turn_and_its_order_outlives_the_operator(
    fleet: Fleet, measured: list[str]
) -> None:
    log = _queue_up(fleet, 12)
    queued = sorted(fleet.places(), key=lambda name: fleet.places()[name])
    condition = fleet.team.condition("Progressing", AGENTS, queued[0])
    assert (condition["status"], condition["reason"]) == ("Unknown", "Queued")
    assert condition["message"].endswith("place 1 of 9, 3 of 3 rollouts run")
    rolled_out = fleet.team.condition("RolledOut", PROMPTS, "support-system")
    assert rolled_out["status"] == "Unknown"
    waited = sum(_writes(fleet, log)[name] for name in queued)
    fleet.replaces_operator()
    assert len(fleet.running()) == fleet.limit
    _until_all_are_promoted(fleet, 12)
    turns = sorted(fleet.begun, key=lambda name: fleet.begun[name])[LIMIT:]
    assert all(abs(turns.index(name) - at) < LIMIT for at, name in enumerate(queued)), turns
    each = _writes(fleet, log)
    measured.append(
        f"queue of 12, limit 3: {waited} writes until 9 wait, {sum(each.values())} in all; "
        f"at most {fleet.most} ran"
    )
    assert waited <= 2 * len(queued)


def test_a_first_version_does_not_wait(fleet: Fleet) -> None:
    _queue_up(fleet, 5)
    newcomer = agent(replicas=1)
    newcomer["metadata"] = {"name": "newcomer"}
    fleet.team.ada.apply(newcomer)
    fleet.team.admin.await_phase("Healthy", "newcomer")
    assert len(fleet.running()) == fleet.limit


@pytest.mark.long
@pytest.mark.timeout(900)
def test_fifty_agents_with_one_prompt_get_their_turn(
    large_fleet: Fleet, measured: list[str]
) -> None:
    log = _queue_up(large_fleet, 50)
    waited = sum(_writes(large_fleet, log).values())
    _until_all_are_promoted(large_fleet, 50)
    each = _writes(large_fleet, log)
    measured.append(
        f"queue of 50, limit 5: {waited} writes until 45 wait, {sum(each.values())} in all, "
        f"at most {max(each.values())} an agent; at most {large_fleet.most} ran"
    )
    assert large_fleet.most == large_fleet.limit
