"""The composition root: settings in, a running operator out. Nothing else constructs objects.

Reading and writing are separate lives. Every replica reads all the time, so that a standby is
warm; only the one that leads works through the queue and writes.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Final

import structlog
from aiohttp import web

from turnout.adapters import documents as kinds
from turnout.adapters.clock import SystemClock
from turnout.adapters.documents import Document, Ref
from turnout.adapters.kube import KubeCluster, connect
from turnout.adapters.ports import Presence
from turnout.adapters.presence import KubePresence
from turnout.adapters.prometheus import PrometheusMetrics
from turnout.adapters.tokens import KubeBadges
from turnout.core.decide import Outcome
from turnout.core.jobs import JobSettings
from turnout.core.lineup import Limits
from turnout.core.plan import Announcement
from turnout.errors import LeaseLost, Transient
from turnout.runtime.answers import Answers
from turnout.runtime.apply import Hand
from turnout.runtime.budgets import Budgets
from turnout.runtime.collect import Collector
from turnout.runtime.drifts import Drifts
from turnout.runtime.evaluations import Evaluations
from turnout.runtime.events import Herald
from turnout.runtime.guards import Accidents, Guards
from turnout.runtime.health import Pulse, endpoints
from turnout.runtime.hub import Hub
from turnout.runtime.inbox import Inbox
from turnout.runtime.instruments import Instruments
from turnout.runtime.lease import Fenced, Leadership, lease_ref
from turnout.runtime.lineup import Lineup
from turnout.runtime.observe import Observer
from turnout.runtime.parse import runs
from turnout.runtime.process import be_thrifty
from turnout.runtime.queue import Queue
from turnout.runtime.reader import Reader
from turnout.runtime.readings import Gauge
from turnout.runtime.reconcile import Crew, Reconciler
from turnout.runtime.relist import Relister
from turnout.runtime.sightings import Sightings
from turnout.runtime.sources import Sources
from turnout.runtime.store import Store
from turnout.runtime.supervise import Sweeper
from turnout.runtime.surroundings import Surroundings, look_around
from turnout.runtime.telemetry import Telemetry, set_up_logging
from turnout.runtime.trim import slimmed
from turnout.runtime.witness import Witness
from turnout.runtime.workers import Workers
from turnout.settings import Settings

logger = structlog.stdlib.get_logger(__name__)

FINISHED: Final = 0
LOST_LEASE: Final = 1
"""Exit code of a leader that may no longer act: the kubelet starts it again, as a standby."""


class Operator:
    """One replica with all its parts."""

    def __init__(
        self, settings: Settings, cluster: KubeCluster, presence: Presence, telemetry: Telemetry
    ) -> None:
        clock = SystemClock()
        self._settings = settings
        self._cluster = cluster
        self.telemetry = telemetry
        self._store = Store()
        self._queue: Queue[Ref] = Queue(lane=lambda ref: ref.namespace)
        self._leadership = Leadership(
            cluster, lease_ref(settings.pod_namespace), settings.pod_name, settings.lease, clock
        )
        fenced = Fenced(cluster, self._leadership)
        self._surroundings = Surroundings()
        self._relister = Relister(cluster, self._store, settings.namespaces)
        self._reader = Reader(
            settings, self._store, self.wake, self._relister, telemetry.watch_restarts.inc
        )
        self._sweeper = Sweeper(self._relister, self.wake, self._active)
        metrics = PrometheusMetrics(settings.metrics, telemetry.count_query)
        self._budgets = Budgets(metrics, clock, telemetry.budgets, wake=self.wake)
        self._drifts = Drifts(metrics, settings.metrics, clock, wake=self.wake)
        gauge = _gauge(settings, metrics, Sightings(self.wake))
        tools = Instruments(gauge, self._budgets, self._drifts)
        observer = Observer(self._store, fenced, tools, clock, self._surroundings, wake=self.wake)
        self._herald = Herald(fenced, clock, settings.pod_name)
        self._accidents = Accidents(fenced, clock, settings.pod_namespace, self._herald.tell)
        self._witness = Witness(presence, settings.namespaces, self.wake)
        guards = Guards(fenced, self._witness.vouches, self._accidents)
        hand = Hand(fenced, self._store)
        self._collector = Collector(self._store, guards, hand, clock)
        self._lineup = Lineup(_limits(settings))
        inbox = Inbox(self.wake)
        self._answers = self._listen(inbox)
        way = _way_of_jobs(settings)
        sources = Sources(self._store, hand, observer.texts, inbox, wake=self.wake, way=way)
        evaluations = Evaluations(self._store, fenced, hand, inbox, wake=self.wake, way=way)
        crew = Crew(hand, self._collector, self._lineup, sources, evaluations)
        self._reconciler = Reconciler(self._store, observer, crew, self)
        self._workers = Workers(self._queue, self._reconciler, telemetry, settings.workers)
        self._pulse = Pulse(telemetry, self._refresh)

    def _listen(self, inbox: Inbox) -> Answers:
        """Make the ear for what Jobs report: heard only while this replica leads."""
        badges, leads = KubeBadges(self._cluster.read_path), self._leadership.still_leading
        return Answers(badges, self._cluster, self._store, inbox, leads)

    # what the parts tell each other

    def wake(self, refs: Iterable[Ref]) -> None:
        """Put objects that a change bears on into the queue."""
        for ref in refs:
            self._reconciler.stir(ref)
            self._queue.add(ref)

    def tell(self, announcement: Announcement, regarding: Document) -> None:
        """Post an Event."""
        self._herald.tell(announcement, regarding)

    def notice(self, ref: Ref, outcome: Outcome) -> None:
        """Count a decision."""
        self.telemetry.agents.notice(ref, outcome)

    def forget(self, ref: Ref) -> None:
        """End the series of an Agent that is gone, and ask nothing more about it."""
        self._budgets.forget(ref)
        self._drifts.forget(ref)
        self.telemetry.agents.forget(ref)

    def _refresh(self) -> None:
        self.telemetry.queue_depth.set(self._queue.depth)
        self.telemetry.queue_age.set(self._queue.oldest_age.total_seconds())
        self.telemetry.leader.set(self._leadership.still_leading())
        self.telemetry.agents.orphans.set(self._collector.orphans)
        self.telemetry.agents.collection_stopped.set(bool(self._accidents.stopped))

    def _active(self) -> bool:
        """Claim that some rollout is running: only then is anything read again unasked."""
        return any(runs(phase) for phase in self._store.phases(kinds.AGENT_ROLLOUT))

    def _everything(self) -> set[Ref]:
        """Name every object to look at when a term begins, deleted Agents with children too."""
        named = {ref for kind in kinds.LOOKED_AT for ref in self._store.all(kind)}
        return named.union(*(self._store.owners(kind) for kind in kinds.CHILD_KINDS))

    # the two lives

    async def run(self, stop: asyncio.Event) -> int:
        """Run until told to stop or the Lease is lost; returns the exit code."""
        leading, stopping = asyncio.create_task(self._lead()), asyncio.create_task(stop.wait())
        lives = [self._reader.run(), self._sweeper.run(), self._pulse.run()]
        if self._settings.namespaces:  # the CRD may be out of reach of a Role
            lives.append(self._witness.run())
        reading = [asyncio.create_task(life) for life in lives]
        async with self._serving():
            try:
                await asyncio.wait({leading, stopping, *reading}, return_when="FIRST_COMPLETED")
                return FINISHED if stop.is_set() else await _ended(leading, reading)
            finally:
                self._queue.stop()
                for task in (leading, stopping, *reading):
                    task.cancel()
                await asyncio.gather(leading, stopping, *reading, return_exceptions=True)

    async def _lead(self) -> None:
        """Wait for the Lease, then work until it is lost or the task is cancelled.

        Raises:
            LeaseLost: Another replica may act from now on.
        """
        await self._reader.synced.wait()
        await self._leadership.acquire()
        try:
            await self._look_around()
            self._resume_lineup()
            self.wake(self._everything())
            async with asyncio.TaskGroup() as term:
                term.create_task(self._leadership.keep())
                term.create_task(self._herald.run())
                term.create_task(self._keep_looking_around())
                term.create_task(self._budgets.run())
                term.create_task(self._drifts.run())
                term.create_task(self._workers.run(self._leadership.still_leading))
        except* LeaseLost as lost:
            raise LeaseLost(str(lost.exceptions[0])) from None
        finally:
            await self._leadership.release()

    def _resume_lineup(self) -> None:
        """Take up the queue of rollouts as whoever led before left it in the cluster."""
        agents, rollouts = self._store.all(kinds.AGENT), self._store.all(kinds.AGENT_ROLLOUT)
        self._lineup.resume(agents, rollouts, datetime.now(UTC))

    async def _look_around(self) -> None:
        accept = self._settings.unprotected_approvals == "Accept"
        while True:
            try:
                return await look_around(
                    self._surroundings,
                    self._cluster,
                    accept_unprotected=accept,
                    routes=lambda: self._relister.served(kinds.HTTP_ROUTE),
                )
            except Transient as error:
                logger.warning("surroundings not read", error=str(error))
                await asyncio.sleep(1)

    async def _keep_looking_around(self) -> None:
        while True:
            await asyncio.sleep(self._settings.resync.total_seconds())
            await self._look_around()

    @contextlib.asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        """Answer the kubelet, Prometheus and Jobs meanwhile."""
        app = endpoints(
            self.telemetry.registry, lambda: self._pulse.alive, self._reader.synced.is_set
        )
        jobs = self._settings.jobs
        async with contextlib.AsyncExitStack() as listeners:
            await listeners.enter_async_context(_listening(app, self._settings.port))
            if jobs is not None:
                reports = self._answers.application()
                await listeners.enter_async_context(_listening(reports, jobs.port))
            yield


@contextlib.asynccontextmanager
async def _listening(app: web.Application, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, port=port).start()
        yield
    finally:
        await runner.cleanup()


def _gauge(settings: Settings, metrics: PrometheusMetrics, sightings: Sightings) -> Gauge:
    return Gauge(Hub(metrics, settings.metrics_queries_per_namespace), settings.metrics, sightings)


def _way_of_jobs(settings: Settings) -> JobSettings | None:
    jobs = settings.jobs
    return None if jobs is None else JobSettings(jobs.image, jobs.reports_url, jobs.pull_policy)


def _limits(settings: Settings) -> Limits:
    return Limits(settings.max_concurrent_rollouts, settings.max_concurrent_rollouts_per_namespace)


async def _ended(leading: asyncio.Task[None], reading: list[asyncio.Task[None]]) -> int:
    """Say why the process ends by itself: a lost Lease is no error, anything else is raised."""
    for task in (leading, *reading):
        if task.done():
            try:
                await task
            except LeaseLost as lost:
                logger.warning("lease lost", reason=str(lost))
    return LOST_LEASE


async def serve(settings: Settings) -> int:
    """Build an operator and run it until a signal ends it."""
    telemetry = Telemetry()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await connect(settings)
    try:
        cluster = KubeCluster(client, telemetry.count_request, slimmed)
        return await Operator(settings, cluster, KubePresence(client), telemetry).run(stop)
    finally:
        await client.close()


def main(settings: Settings) -> int:
    """Run the operator in this process."""
    be_thrifty()
    set_up_logging(settings)
    logger.info("starting", pod=settings.pod_name, namespaces=settings.namespaces or "all")
    return asyncio.run(serve(settings))
