"""Killing the operator at one boundary of an action, and what a whole rollout left behind.

Each run plays in a namespace of its own, with an operator of its own that serves nothing else and
reaches the API server through a proxy of its own.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeVar

from typing_extensions import override

from tests.chart.helm import NAMESPACE
from tests.chart.people import OPERATOR
from tests.operator.remains import snapshot
from tests.operator.stage import Stage
from tests.operator.team import Team, new_team
from tests.support.api import Document
from tests.support.audit import AuditLog
from tests.support.faultproxy import Dropped, FaultProxy, Mutation
from tests.support.kubectl import PATIENCE, eventually
from tests.support.operator import OperatorProcess

Result = TypeVar("Result")

BEFORE: Final = "before write"
"""The write was not sent: the API server knows nothing of it."""

AFTER: Final = "after write"
"""The write was committed, and the operator was not told."""

PAUSE: Final = 0.5
"""Seconds between two looks at what many runs wait for at the same time."""

RBAC: Final = "rbac.authorization.k8s.io"
LEADER: Final = "turnout-leader"
STEPS: Final[list[dict[str, Any]]] = [{"setWeight": 50}, {"pause": {"duration": "2s"}}]


@dataclass(frozen=True)
class Boundary:
    """A moment around the k-th write of a rollout: BEFORE or AFTER it.

    Writes of the Lease are not counted.
    """

    number: int
    moment: str


class Loop:
    """An event loop in a thread of its own, for the proxies."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies")

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def proxy(self, make: Callable[[], FaultProxy]) -> Iterator[FaultProxy]:
        proxy = make()
        self.run(proxy.__aenter__())
        try:
            yield proxy
        finally:
            self.run(proxy.__aexit__())


@dataclass
class Run:
    """One whole rollout, killed at some boundaries or at none.

    Attributes:
        boundaries: Where the operator is to be killed.
        kills: Where it was, and by which write.
        writes: How many writes the proxy saw, one that was sent again for a kill counted once.
        left: What stands in the namespace at the end.
    """

    namespace: str
    boundaries: tuple[Boundary, ...]
    kills: dict[Boundary, str] = field(default_factory=dict)
    writes: int = 0
    left: Document = field(default_factory=dict)

    @override
    def __str__(self) -> str:
        """Say where it was killed."""
        kills = (f"{one.moment} {one.number} ({write})" for one, write in self.kills.items())
        return f"{self.namespace}, killed {', '.join(kills)}"

    @property
    def missed(self) -> list[Boundary]:
        """Boundaries that came and were not used; one beyond the last write never came."""
        return [
            one for one in self.boundaries if one not in self.kills and one.number <= self.writes
        ]


class Killer:
    """Kills the operator of a run at its boundaries, and starts it again at once."""

    def __init__(self, run: Run, operator: OperatorProcess) -> None:
        self._run = run
        self._operator = operator
        self._pending = sorted(run.boundaries, key=lambda one: one.number)
        self.seen = 0
        self._marked: Mutation | None = None

    async def before(self, mutation: Mutation) -> None:
        """Hear of a write that has arrived and was not passed on yet."""
        if _is_lease(mutation):
            return
        self.seen += 1
        if not self._pending or self.seen != self._pending[0].number:
            return
        if self._pending[0].moment == BEFORE:
            self.seen -= 1  # it will come again
            self._strike(mutation)
        self._marked = mutation

    async def after(self, mutation: Mutation) -> None:
        """Hear of a write that the API server has answered; the operator was not told yet."""
        if mutation is self._marked:
            self._strike(mutation)

    def _strike(self, mutation: Mutation) -> None:
        boundary = self._pending.pop(0)
        self._run.kills[boundary] = f"{mutation.method} {mutation.path}"
        self._operator.kill()
        self._operator.start(wait=False)
        raise Dropped


class Player:
    """Plays one rollout after another, each alike."""

    def __init__(self, stage: Stage, loop: Loop) -> None:
        self._stage = stage
        self._loop = loop
        self._token = stage.token()

    def play(self, boundaries: Sequence[Boundary], expected: Document | None = None) -> Run:
        """Play a rollout until it left what is expected, or for the first time to its end."""
        team = new_team(self._stage.cluster, "kill")
        run = Run(team.namespace, tuple(boundaries))
        self._let_lead(team)
        with (
            self._loop.proxy(lambda: FaultProxy(self._stage.cluster.kubeconfig)) as proxy,
            self._operator(team, proxy) as operator,
        ):
            killer = Killer(run, operator)
            proxy.before_send, proxy.after_commit = killer.before, killer.after
            _act(team, PATIENCE * (2 + len(boundaries)))
            run.left = _await_end(team, expected)
        run.writes = killer.seen
        return run

    def _operator(self, team: Team, proxy: FaultProxy) -> OperatorProcess:
        directory = self._stage.directory / f"{team.namespace}-proxy"
        directory.mkdir()
        return self._stage.operator(
            team.namespace,
            forked=True,
            kubeconfig=proxy.kubeconfig(directory, self._token),
            podNamespace=team.namespace,
            namespaces=[team.namespace],
        )

    def _let_lead(self, team: Team) -> None:
        """Grant the chart's account the chart's own Role for the Lease in this namespace too."""
        api, there = team.admin.api, f"/apis/{RBAC}/v1/namespaces"
        role = api.get(f"{there}/{NAMESPACE}/roles/{LEADER}")
        assert role is not None
        metadata = {"name": LEADER}
        binding = {
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": LEADER},
            "subjects": [{"kind": "ServiceAccount", "name": "turnout", "namespace": NAMESPACE}],
        }
        here = f"{there}/{team.namespace}"
        api.create(f"{here}/roles", {"metadata": metadata, "rules": role["rules"]})
        api.create(f"{here}/rolebindings", binding)


def _is_lease(mutation: Mutation) -> bool:
    return "/leases" in mutation.path


def _act(team: Team, patience: float) -> None:
    """Deploy an agent and change its prompt, and see the change promoted by the gate."""
    team.deploys(steps=STEPS, replicas=1)
    rollout = team.changes_prompt("A better prompt.")
    candidate = team.candidate_of(rollout)

    def promoted() -> bool:
        return bool(team.agent()["stable"]["version"] == candidate)

    eventually("the promotion", promoted, timeout=patience, pause=PAUSE)


def _await_end(team: Team, expected: Document | None) -> Document:
    """Wait for what is expected and return what is there, be it that or not."""
    left: Document = {}

    def reached() -> bool:
        nonlocal left
        left = snapshot(team)
        return len(left["Deployment"]) == 1 if expected is None else left == expected

    with suppress(AssertionError):
        eventually("the end", reached, pause=PAUSE)
    return left


def count_writes(log: AuditLog, namespace: str) -> int:
    """Count what the operators' account wrote in a namespace, whatever the answer."""
    asked = log.requests(user=OPERATOR, namespace=namespace)
    return sum(one.writes and not one.keeps_the_lease for one in asked)
