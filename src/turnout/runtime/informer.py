"""kopf as informer: one life of it, in a thread with an event loop of its own.

It lists, watches and begins again where a stream ends, and that is all it is used for: what a list
or stream tells goes past it, so nothing of it can lead to a write, and there are no finalizers,
annotations, Events or peerings. It has its own loop because at its end it cancels every task that
the loop has.
"""

import asyncio
import logging
import math
import threading
from collections.abc import Collection
from contextlib import suppress
from typing import Any, Final

import aiohttp
import kopf
import structlog
from typing_extensions import override

from turnout.adapters.documents import Document, Kind, Ref, selector
from turnout.adapters.kube import CALL_TIMEOUT, CHUNK, connect
from turnout.adapters.ports import Listing
from turnout.errors import Invalid
from turnout.runtime.transport import Listener, open_session
from turnout.settings import Settings

logger = structlog.stdlib.get_logger(__name__)

USER_AGENT: Final = "turnout-informer"

STREAMS_A_SECOND: Final = 4
"""How many streams the API server is asked for: so many a second are begun anew, and ended.

Only its end shows that a quiet stream was alive: bookmarks come once a minute, and none before the
end of a short stream (measured, 1.36). So streams are as short as this allows, four seconds where
the whole cluster is served. Asking anew costs a millisecond of our CPU.
"""

LONGEST_STREAM: Final = 300
"""Seconds after which the API server ends a stream even where there are very many."""

GRACE: Final = 0.75
"""Seconds that a stream may last longer than asked for; then it is dead."""

PATIENCE: Final = 1.5
"""Seconds that kopf gets to end; after that its thread is left to itself."""

_BACKOFFS: Final = (0.2, 0.5, 1.0)  # seconds: then kopf gives up, and its next life begins


def stream_length(streams: int) -> int:
    """Return after how many seconds the API server is to end each of so many streams."""
    return min(max(1, math.ceil(streams / STREAMS_A_SECOND)), LONGEST_STREAM)


class Informer:
    """One life of kopf."""

    def __init__(self, settings: Settings, kinds: Collection[Kind], listener: Listener) -> None:
        self._settings = settings
        self._kinds = kinds
        self._listener = listener

    async def run(self) -> BaseException | None:
        """Watch until kopf dies; returns what killed it.

        The listener is called in the loop that this runs in.
        """
        here, there, stop = asyncio.get_running_loop(), asyncio.new_event_loop(), asyncio.Event()
        ended: asyncio.Future[BaseException | None] = here.create_future()

        async def live() -> None:
            life = self._live(_Handover(self._listener, here), stop)
            [cause] = await asyncio.gather(life, return_exceptions=True)
            here.call_soon_threadsafe(ended.set_result, cause)

        def run() -> None:
            with asyncio.Runner(loop_factory=lambda: there) as runner:
                runner.run(live())

        threading.Thread(target=run, name="kopf", daemon=True).start()
        try:
            return await asyncio.shield(ended)
        finally:
            with suppress(RuntimeError):  # its loop is closed already
                there.call_soon_threadsafe(stop.set)
            await asyncio.wait({ended}, timeout=PATIENCE)

    async def _live(self, listener: Listener, stop: asyncio.Event) -> None:
        """Run kopf until told to stop; raises what killed it.

        kopf would take more than ten seconds to die, so its tasks are ended here: once one of
        its roots is done, so is its life.
        """
        asyncio.get_running_loop().set_exception_handler(_note)
        logging.getLogger("kopf").setLevel(logging.CRITICAL)  # it logs each attempt of an outage
        sessions: list[aiohttp.ClientSession] = []
        me, stopping = asyncio.current_task(), asyncio.create_task(stop.wait())
        others = asyncio.all_tasks() - {me, stopping}
        try:
            roots = await self._spawn(listener, sessions)
            done, _ = await asyncio.wait({*roots, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for root in done:
                await root
        finally:
            left = asyncio.all_tasks() - others - {me}
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=PATIENCE)
            for session in sessions:
                await session.close()

    async def _spawn(
        self, listener: Listener, sessions: list[aiohttp.ClientSession]
    ) -> Collection[asyncio.Task[Any]]:
        """Start kopf's tasks; sessions that it opens are added to the list."""
        registry = kopf.OperatorRegistry()

        async def log_in(**_: Any) -> kopf.AiohttpSession:
            """Read our access anew: at the beginning, and whenever it is refused."""
            client = await connect(self._settings)
            client.user_agent = USER_AGENT
            session = open_session(client, listener)
            sessions.append(session)
            return kopf.AiohttpSession(server=client.configuration.host, aiohttp_session=session)

        kopf.on.login(registry=registry)(log_in)
        for kind in self._kinds:
            _attend(registry, kind)
        namespaces = self._settings.namespaces
        # Without an identity kopf asks the system for a user, and a container need not have one.
        options: dict[str, Any] = {"identity": self._settings.pod_name}
        options |= {"namespaces": namespaces} if namespaces else {"clusterwide": True}
        settings = self._kopf_settings()
        return await kopf.spawn_tasks(registry=registry, settings=settings, **options)

    def _kopf_settings(self) -> kopf.OperatorSettings:
        settings = kopf.OperatorSettings()
        settings.posting.enabled = False
        settings.scanning.disabled = True
        settings.peering.standalone = True
        settings.process.ultimate_exiting_timeout = None
        settings.queueing.exit_timeout = 0.5
        settings.networking.request_timeout = CALL_TIMEOUT.total_seconds()
        settings.networking.error_backoffs = _BACKOFFS
        length = stream_length(len(self._kinds) * max(1, len(self._settings.namespaces)))
        settings.watching.chunk_size = CHUNK
        settings.watching.server_timeout = length
        settings.watching.client_timeout = length + CALL_TIMEOUT.total_seconds()
        settings.watching.connect_timeout = CALL_TIMEOUT.total_seconds()
        settings.watching.inactivity_timeout = length + GRACE
        for kind in self._kinds:
            if labels := selector(kind):
                selected = (kind.group, kind.version, kind.plural)
                settings.watching.label_selectors[selected] = labels
        return settings


def _note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Keep what kopf's tasks leave behind when they are ended out of sight."""
    logger.debug("left behind", message=context["message"])


def _attend(registry: kopf.OperatorRegistry, kind: Kind) -> None:
    """Let kopf watch a kind; what happens there is heard before it gets to kopf."""

    async def unheard(**_: Any) -> None:
        """Hear nothing: kopf gets bookmarks only."""

    kopf.on.event(kind.group, kind.version, kind.plural, registry=registry)(unheard)


class _Handover(Listener):
    """Passes what is heard in kopf's thread on to another loop."""

    def __init__(self, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        self._listener = listener
        self._loop = loop

    @override
    def listed(self, kind: Kind, namespace: str | None, listing: Listing) -> None:
        self._loop.call_soon_threadsafe(self._listener.listed, kind, namespace, listing)

    @override
    def changed(self, ref: Ref, item: Document | Invalid, version: str) -> None:
        self._loop.call_soon_threadsafe(self._listener.changed, ref, item, version)

    @override
    def removed(self, ref: Ref, version: str) -> None:
        self._loop.call_soon_threadsafe(self._listener.removed, ref, version)
