"""The operator is killed at every request of a whole rollout: it resumes, nothing is done twice.

A reference rollout runs first. Then, in another namespace, every mutating request is met twice: the
first time the operator is killed before the server sees it, the next time after the server
committed it and before the answer came. So each boundary between two actions is died at, on both
sides, and what was begun is finished by the next life.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.operator.providers import Providers
from tests.operator.stage import Stage
from tests.operator.team import DEPLOYMENTS, NAME, VERSIONS, Team, new_team
from tests.support.faultproxy import Dropped, FaultProxy, Mutation
from tests.support.kubectl import eventually
from tests.support.operator import OperatorProcess

pytestmark = [pytest.mark.light, pytest.mark.timeout(900)]

STEPS: list[dict[str, Any]] = [{"setWeight": 25}, {"pause": {"duration": "2s"}}, {"setWeight": 50}]
ASIDE = ("/leases", "/events")
"""Leadership and Events are no part of a rollout."""

ROLLOUT_LIMIT = 120.0
KILLED_LIMIT = 700.0


@dataclass
class Executioner:
    """Kills the operator at each mutating request in turn: before it is sent, after it is done.

    While nobody is named to be killed it only keeps the books. A request that is under way beside
    another when that one is died at cannot be met before it is sent: it is counted as such.
    """

    namespace: str
    victim: OperatorProcess | None = None
    before: int = 0
    after: int = 0
    beside: int = 0
    done: list[Mutation] = field(default_factory=list)
    _spared: bool = False

    async def meet(self, mutation: Mutation) -> None:
        """Kill before the request is sent, unless one was met since the last that was done."""
        if self.victim and self._concerns(mutation) and not self._spared:
            self._spared = True
            self.before += 1
            await self._kill(self.victim)

    async def leave(self, mutation: Mutation) -> None:
        """Kill after the request was committed and before its answer is heard."""
        if not self._concerns(mutation) or mutation.code not in {HTTPStatus.OK, HTTPStatus.CREATED}:
            return
        self.done.append(mutation)
        if self.victim:
            self.beside += not self._spared
            self._spared = False
            self.after += 1
            await self._kill(self.victim)

    def _concerns(self, mutation: Mutation) -> bool:
        ours = f"/namespaces/{self.namespace}/" in mutation.path
        return ours and not any(part in mutation.path for part in ASIDE)

    async def _kill(self, victim: OperatorProcess) -> None:
        await asyncio.to_thread(victim.kill)
        raise Dropped

    @property
    def weights(self) -> list[dict[str, int]]:
        """The weights that were written, in their order."""
        bodies = [json.loads(one.body) for one in self.done if "/httproutes/" in one.path]
        rules = [body["spec"]["rules"][0] for body in bodies if "spec" in body]
        return [{ref["name"]: ref["weight"] for ref in rule["backendRefs"]} for rule in rules]

    @property
    def steps(self) -> list[int]:
        """The steps whose timer was started, in their order."""
        patches = [one for one in self.done if "/agentrollouts/" in one.path]
        steps = [json.loads(one.body)["status"].get("step") or {} for one in patches]
        return [step["index"] for step in steps if "startedAt" in step]


@asynccontextmanager
async def kept_alive(operator: OperatorProcess) -> AsyncIterator[None]:
    """Start the operator again whenever it was killed, as a kubelet does."""

    async def live() -> None:
        while True:
            if not operator.running:
                await asyncio.to_thread(operator.start, wait=False)
            await asyncio.sleep(0.05)

    task = asyncio.create_task(live())
    try:
        yield
    finally:
        task.cancel()


def goes_out(team: Team, limit: float) -> dict[str, Any]:
    """Change the prompt and wait for its end; returns what is then there, versions by role."""
    team.ada.patch("prompts.turnout.dev", "support-system", {"spec": {"text": "A better prompt."}})

    def ended() -> bool:
        status = team.agent()
        stable, desired = status.get("stable") or {}, status.get("desired") or {}
        calm = status.get("phase") == "Healthy" and not status.get("candidate")
        alone = len(team.admin.list(DEPLOYMENTS, f"turnout.dev/agent={NAME}")) == 1
        return (
            calm
            and alone
            and status["lastRollout"] == 2
            and stable == {**stable, **desired_of(desired)}
        )

    eventually("the new prompt is stable", ended, limit, pause=0.5)
    return ending(team)


def desired_of(desired: dict[str, Any]) -> dict[str, Any]:
    """Name what is wanted as a stable version names itself."""
    return {key: desired.get(key) for key in ("version", "digest")}


def ending(team: Team) -> dict[str, Any]:
    """Describe an end state without names and times."""
    stable = team.agent()["stable"]["version"]
    return {
        "weights": [team.admin.weights().get(stable), len(team.admin.weights())],
        "versions": sorted(one["status"]["state"] for one in team.admin.list(VERSIONS)),
        "rollout": team.rollout("support-r2")["phase"],
        "steps": team.rollout("support-r2")["step"]["index"],
        "services": len(team.admin.list("services", f"turnout.dev/agent={NAME}")),
        "replicas": [
            one["spec"]["replicas"]
            for one in team.admin.list(DEPLOYMENTS, f"turnout.dev/agent={NAME}")
        ],
    }


async def test_killed_at_every_request_a_rollout_ends_as_if_nothing_had_happened(
    stage: Stage,
    providers: Providers,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    async with FaultProxy(stage.cluster.kubeconfig) as proxy:
        kubeconfig = proxy.kubeconfig(tmp_path, stage.token())
        operator = stage.operator("killed-operator", kubeconfig=kubeconfig)
        with await asyncio.to_thread(operator.start):
            await asyncio.to_thread(operator.await_lead)
            reference, expected = await _one(stage, proxy, operator, deadly=False)
            books, found = await _one(stage, proxy, operator, deadly=True)
    record_property("kills", books.before + books.after)
    sys.stdout.write(
        f"\nreference: {len(reference.done)} mutating requests; killed {books.before} times before "
        f"and {books.after} times after {len(books.done)} requests of the same rollout\n"
    )
    assert found == expected
    assert books.after == len(books.done)
    assert books.before + books.beside == books.after
    assert books.beside <= books.before // 4
    assert books.after >= len({one.path for one in reference.done})
    assert len(books.weights) == len({json.dumps(one) for one in books.weights})
    assert [sorted(one.values()) for one in books.weights] == unrepeated(reference.weights)
    assert books.steps == reference.steps == [1, 2, 3, 4]


def unrepeated(weights: list[dict[str, int]]) -> list[list[int]]:
    """Take together what was written twice in a row: a first apply is followed by one that joins
    its ownership with that of the create."""
    values = [sorted(one.values()) for one in weights]
    return [one for at, one in enumerate(values) if at == 0 or one != values[at - 1]]


async def _one(
    stage: Stage, proxy: FaultProxy, operator: OperatorProcess, *, deadly: bool
) -> tuple[Executioner, dict[str, Any]]:
    """Run one rollout in a namespace of its own, with or without the killing."""
    team = await asyncio.to_thread(new_team, stage.cluster, "killed" if deadly else "spared")
    await asyncio.to_thread(team.deploys, steps=STEPS)
    books = Executioner(team.namespace, operator if deadly else None)
    proxy.before_send, proxy.after_commit = books.meet, books.leave
    async with kept_alive(operator):
        limit = KILLED_LIMIT if deadly else ROLLOUT_LIMIT
        found = await asyncio.to_thread(goes_out, team, limit)
        books.victim = None
    return books, found
