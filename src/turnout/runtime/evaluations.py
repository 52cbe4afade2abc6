"""EvalSuites and EvalRuns: observe, decide, apply, as for an Agent."""

import asyncio
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeAlias

import structlog

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Document, Kind, Ref, ref_of
from turnout.adapters.ports import Cluster
from turnout.api.agent import Agent, StableStatus
from turnout.api.base import VersionRef
from turnout.api.evalrun import EvalRun
from turnout.api.rollout import AgentRollout
from turnout.api.suite import EvalSuite
from turnout.api.version import AgentVersion
from turnout.core.evaluating import run_names
from turnout.core.jobs import JobSettings
from turnout.core.naming import sandbox_name
from turnout.core.plan import Action, Create
from turnout.core.runs.decide import decide_run
from turnout.core.runs.suites import SuiteWorld, decide_suite
from turnout.core.runs.world import RunWorld, has_ended
from turnout.core.sources import SourceOutcome
from turnout.core.stored import read_stored
from turnout.core.world import Child, Stored, Unread
from turnout.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from turnout.runtime.apply import Hand
from turnout.runtime.goldens import Goldens
from turnout.runtime.inbox import Inbox
from turnout.runtime.parse import Known, child, parse
from turnout.runtime.sources import Announce, Wake, again_in
from turnout.runtime.store import Store

logger = structlog.stdlib.get_logger(__name__)

Evaluated: TypeAlias = EvalSuite | EvalRun
EVALUATED: Final[Mapping[Kind, type[Evaluated]]] = MappingProxyType(
    {kinds.EVAL_SUITE: EvalSuite, kinds.EVAL_RUN: EvalRun}
)
"""Types of these kinds."""

_MADE: Final = (kinds.DEPLOYMENT, kinds.SERVICE, kinds.JOB)
_UNSEEN: Final = (kinds.SERVICE_ACCOUNT, kinds.NETWORK_POLICY)
"""Kinds that are made and never read: their names tell whose they are."""


class Evaluations:
    """Looks after suites and drives their runs."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        hand: Hand,
        inbox: Inbox,
        *,
        wake: Wake,
        way: JobSettings | None,
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._hand = hand
        self._inbox = inbox
        self._wake = wake
        self._way = way
        self._goldens = Goldens(cluster, store)
        self._refused: dict[Ref, str] = {}

    async def look(
        self, ref: Ref, seen: Evaluated, now: datetime, announce: Announce
    ) -> timedelta | None:
        """Look at one object; returns when to look again.

        Raises:
            Conflict: The world moved on meanwhile.
            Transient: The API server is unwell.
        """
        match seen:
            case EvalSuite():
                outcome = decide_suite(await self._suite_world(ref, seen, now))
                await self._carry_out(ref, outcome.actions)
            case EvalRun():
                outcome = await self._run(ref, seen, now)
        for announcement in outcome.announcements:
            announce(announcement)
        return again_in(outcome, now)

    def forget(self, ref: Ref) -> None:
        """Drop what is kept of an object that is gone."""
        self._goldens.forget(ref)
        self._refused.pop(ref, None)

    async def _run(self, ref: Ref, run: EvalRun, now: datetime) -> SourceOutcome:
        world = await self._world(ref, run, now)
        if world.answer is None:
            outcome = decide_run(world)
        else:  # thousands of tasks are judged round by round
            outcome = await asyncio.to_thread(decide_run, world)
        await self._carry_out(ref, outcome.actions)
        self._inbox.settle(ref, world.answer, taken=_was_taken(world))
        if outcome.concerns_users:
            self._wake((Ref(kinds.EVAL_SUITE, ref.namespace, run.spec.suite.name),))
        return outcome

    async def _suite_world(self, ref: Ref, suite: EvalSuite, now: datetime) -> SuiteWorld:
        named = self._store.named_by(ref, kinds.EVAL_RUN)
        runs = (self._read(EvalRun, one) for one in named)
        golden = await self._goldens.golden(ref, suite)
        return SuiteWorld(now, suite, golden, [one for one in runs if one is not None])

    async def _world(self, ref: Ref, run: EvalRun, now: datetime) -> RunWorld:
        suite_ref = Ref(kinds.EVAL_SUITE, ref.namespace, run.spec.suite.name)
        document = self._store.get(suite_ref)
        suite = None if document is None else parse(EvalSuite, document)
        golden = None
        if isinstance(suite, EvalSuite) and not has_ended(run):
            golden = await self._goldens.golden(suite_ref, suite)
        versions = self._versions(ref, run)
        agent = self._agent(ref, run, versions)
        stable = agent.status.stable if agent is not None else None
        world = RunWorld(
            now=now,
            run=run,
            suite=suite,
            golden=golden,
            versions=versions,
            agent=agent,
            stable=_ref(stable),
            pods=tuple(_read_ones(self._store.children(ref, kinds.POD).values())),
            answer=self._inbox.answer(ref),
            nonce=secrets.token_hex(16),
            way=self._way,
            refused=self._refused.get(ref),
        )
        return await self._with_children(ref, world)

    def _versions(self, ref: Ref, run: EvalRun) -> dict[str, AgentVersion]:
        names = {run.spec.version.name, *([run.spec.baseline.name] if run.spec.baseline else ())}
        if run.status.plan is not None:
            names.add(run.status.plan.baseline.version)
        found = {
            name: self._read(AgentVersion, Ref(kinds.AGENT_VERSION, ref.namespace, name))
            for name in names
        }
        return {name: one for name, one in found.items() if one is not None}

    def _agent(self, ref: Ref, run: EvalRun, versions: dict[str, AgentVersion]) -> Agent | None:
        version = versions.get(run.spec.version.name)
        plan = run.status.plan
        name = plan.agent if plan else version.spec.agent if version else None
        return None if name is None else self._read(Agent, Ref(kinds.AGENT, ref.namespace, name))

    def _read(self, kind: type[Known], ref: Ref) -> Known | None:
        document = self._store.get(ref)
        found = None if document is None else parse(kind, document)
        return None if isinstance(found, Unread) else found

    async def _with_children(self, ref: Ref, world: RunWorld) -> RunWorld:
        """Add what stands under the names that the run needs, and the contents of new pods."""
        held = {one for kind in _MADE for one in self._store.children(ref, kind)}
        held.add(Ref(kinds.JOB, ref.namespace, ref.name))
        versions = tuple(_arms(world))
        for kind in (kinds.DEPLOYMENT, kinds.SERVICE):
            held |= {Ref(kind, ref.namespace, sandbox_name(one)) for one in versions}
        documents = {one: self._store.get(one) for one in held}
        children = {
            (one.kind.kind, one.name): child(document)
            for one, document in documents.items()
            if document is not None and not isinstance(document, Invalid)
        }
        stored = await self._contents(ref, world, versions, children)
        return replace(world, children=children, stored=stored)

    async def _contents(
        self,
        ref: Ref,
        world: RunWorld,
        versions: Iterable[str],
        children: Mapping[tuple[str, str], Child],
    ) -> dict[str, Stored | Unread]:
        status = world.run.status
        if status.plan is None or status.task is not None or has_ended(world.run):
            return {}
        found: dict[str, Stored | Unread] = {}
        for version in versions:
            if ("Deployment", sandbox_name(version)) in children:
                continue
            where = Ref(kinds.CONFIG_MAP, ref.namespace, version)
            try:
                found[version] = read_stored((await self._cluster.get(where)).get("data") or {})
            except (NotFound, Invalid) as error:
                found[version] = Unread(str(error))
        return found

    async def _carry_out(self, ref: Ref, actions: Iterable[Action]) -> None:
        """Carry actions out; the first that is refused ends the row, and is told on the run.

        Raises:
            Conflict: What was to be written or removed is not as it was decided on.
        """
        for action in actions:
            try:
                await self._act(action)
            except (Invalid, Forbidden) as error:
                if not isinstance(action, Create):
                    raise
                logger.warning("refused", object=str(ref), error=str(error))
                self._refused[ref] = error.message if isinstance(error, Invalid) else str(error)
                return
            except Conflict:
                if not isinstance(action, Create):
                    raise  # of what is there under a name the next look tells whose it is

    async def _act(self, action: Action) -> None:
        if isinstance(action, Create) and ref_of(action.manifest).kind in _UNSEEN:
            with suppress(AlreadyExists):
                await self._cluster.create(action.manifest)
        else:
            self._wake(await self._hand.apply(action))


def runs_waited_for(
    store: Store, agent: Ref, rollouts: Sequence[AgentRollout]
) -> dict[str, EvalRun]:
    """Read what stands under the names of the EvalRuns that an Agent's newest rollout waits for."""
    names = [name for one in rollouts[-1:] for name in run_names(one)]
    found = {name: store.get(Ref(kinds.EVAL_RUN, agent.namespace, name)) for name in names}
    runs = {name: parse(EvalRun, one) for name, one in found.items() if one is not None}
    return {name: one for name, one in runs.items() if not isinstance(one, Unread)}


def _ref(stable: StableStatus | None) -> VersionRef | None:
    return None if stable is None else VersionRef(version=stable.version, digest=stable.digest)


def _arms(world: RunWorld) -> Iterator[str]:
    """Name the versions that a run compares, as far as they are known."""
    run, plan = world.run, world.run.status.plan
    if plan is not None:
        yield from (plan.version.version, plan.baseline.version)
        return
    yield run.spec.version.name
    if run.spec.baseline is not None:
        yield run.spec.baseline.name
    elif world.stable is not None:
        yield world.stable.version


def _read_ones(documents: Iterable[Document | Invalid]) -> Iterator[Document]:
    return (one for one in documents if not isinstance(one, Invalid))


def _was_taken(world: RunWorld) -> bool:
    task, answer = world.run.status.task, world.answer
    return task is not None and answer is not None and task.nonce_hash == answer.nonce_hash
