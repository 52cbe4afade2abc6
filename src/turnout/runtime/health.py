"""Endpoints for kubelet and Prometheus: /healthz, /readyz and /metrics."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from turnout.runtime.telemetry import Telemetry

STUCK: Final = timedelta(seconds=30)
"""A loop that has not turned for so long is dead to its users: restart it."""

_TURN: Final = 0.5


class Pulse:
    """Feels the event loop turn, and how late it does."""

    def __init__(self, telemetry: Telemetry, refresh: Callable[[], None]) -> None:
        self._telemetry = telemetry
        self._refresh = refresh
        self._turned: float | None = None

    async def run(self) -> None:
        """Turn with the loop until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(_TURN)
            self._turned = loop.time()
            self._telemetry.lag.set(max(0.0, self._turned - began - _TURN))
            self._refresh()

    @property
    def alive(self) -> bool:
        """Claim that the loop turned lately."""
        if self._turned is None:
            return True
        return asyncio.get_running_loop().time() - self._turned < STUCK.total_seconds()


def endpoints(
    registry: CollectorRegistry, alive: Callable[[], bool], ready: Callable[[], bool]
) -> web.Application:
    """Build the endpoints; readiness does not depend on leadership, so a standby is ready."""

    async def healthz(_: web.Request) -> web.Response:
        return _answer(fine=alive(), problem="the event loop is stuck")

    async def readyz(_: web.Request) -> web.Response:
        return _answer(fine=ready(), problem="the first full list of every kind is not complete")

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", metrics),
        ]
    )
    return app


def _answer(*, fine: bool, problem: str) -> web.Response:
    return web.Response(text="ok" if fine else problem, status=200 if fine else 503)
