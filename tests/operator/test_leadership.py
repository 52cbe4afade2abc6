"""Two replicas: one acts, the other takes over, and never do both.

What each of them wrote is told by the API server's audit log, by the token that it came with.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.chart.helm import NAMESPACE
from tests.operator.providers import Providers
from tests.operator.stage import Stage
from tests.operator.team import Team, new_team
from tests.support.audit import AuditLog, Request, credential_of
from tests.support.kubectl import Kubectl, eventually
from tests.support.operator import OperatorProcess

pytestmark = pytest.mark.light

LEASE = ("leases.coordination.k8s.io", "turnout-operator")


@dataclass
class Pair:
    """A leader and its standby, and the team that they serve."""

    leader: OperatorProcess
    standby: OperatorProcess
    team: Team
    credentials: dict[str, str]

    def wrote(self, log: AuditLog, who: OperatorProcess) -> list[Request]:
        """Return what a replica wrote, its Lease aside."""
        found = log.requests(credential=self.credentials[who.name], writes=True)
        return [one for one in found if not one.keeps_the_lease]

    def began(self, log: AuditLog, who: OperatorProcess) -> str:
        """Return when a replica wrote first."""
        return min(one.at for one in self.wrote(log, who))

    def wrote_after(self, log: AuditLog, who: OperatorProcess, moment: str) -> list[Request]:
        """Return what a replica wrote later than a moment; what was on its way then is none."""
        return [one for one in self.wrote(log, who) if one.at > moment]


@pytest.fixture
def pair(stage: Stage, providers: Providers, request: pytest.FixtureRequest) -> Iterator[Pair]:
    word = request.node.name.removeprefix("test_")[:20].replace("_", "-").strip("-")
    names = (f"{word}-one", f"{word}-two")
    kubeconfigs = {}
    for name in names:
        directory = stage.directory / f"{name}-account"
        directory.mkdir()
        kubeconfigs[name] = stage.kubeconfig(directory)
    usual: dict[str, str] = {}
    one, two = (stage.operator(name, kubeconfig=kubeconfigs[name], lease=usual) for name in names)
    with one.start(), two.start():
        eventually("one of them leads", lambda: one.leads or two.leads)
        leader, standby = (one, two) if one.leads else (two, one)
        team = new_team(stage.cluster, "led")
        team.deploys()
        credentials = {name: credential_of(path) for name, path in kubeconfigs.items()}
        yield Pair(leader, standby, team, credentials)


def takes_over(pair: Pair, log: AuditLog, text: str) -> str:
    """Change the prompt, which only the standby can act on now; returns how long that took."""
    asked = time.monotonic()
    pair.team.ada.patch("prompts.turnout.dev", "support-system", {"spec": {"text": text}})
    what = f"the standby acts; its log is {pair.standby.log}"
    eventually(what, lambda: pair.wrote(log, pair.standby))
    return f"{time.monotonic() - asked:.1f} s"


def holder(stage: Stage) -> str:
    """Tell who holds the lease; nobody where it was given up."""
    lease = Kubectl(stage.cluster, NAMESPACE).get(*LEASE)
    assert lease is not None
    return str(lease["spec"].get("holderIdentity") or "")


def test_one_of_two_replicas_writes(pair: Pair, stage: Stage) -> None:
    log = AuditLog(stage.cluster)
    pair.team.changes_prompt("Only one of us may act.")
    pair.team.await_phase("Paused")
    assert pair.wrote(log, pair.leader)
    assert not pair.wrote(log, pair.standby)
    assert pair.standby.endpoint("readyz") is not None


def test_a_standby_acts_after_its_leader_was_killed(
    pair: Pair, stage: Stage, measured: list[str]
) -> None:
    log = AuditLog(stage.cluster)
    pair.leader.kill()
    took = takes_over(pair, log, "The king is dead.")
    measured.append(f"leader killed: a standby acts after {took}, the lease is 15 s")
    assert not pair.wrote_after(log, pair.leader, pair.began(log, pair.standby))


def test_a_leader_that_goes_leaves_the_lease_to_its_standby(
    pair: Pair, stage: Stage, measured: list[str]
) -> None:
    log = AuditLog(stage.cluster)
    assert pair.leader.stop() == 0
    assert holder(stage) != pair.leader.name
    took = takes_over(pair, log, "Long live the king.")
    measured.append(f"leader stopped: a standby acts after {took}")


def test_a_leader_that_slept_too_long_wakes_and_writes_nothing(pair: Pair, stage: Stage) -> None:
    pair.leader.freeze()
    log = AuditLog(stage.cluster)
    takes_over(pair, log, "Sleeping.")
    began = pair.began(log, pair.standby)
    pair.leader.thaw()
    assert pair.leader.await_exit() != 0
    assert not pair.wrote_after(log, pair.leader, began)


def test_the_lease_is_of_the_operators_own_namespace(pair: Pair, stage: Stage) -> None:
    assert holder(stage) == pair.leader.name
