"""Kubernetes Events: what a person sees under ``kubectl describe`` and ``kubectl events``.

An Event's name is made from what it tells of, so that an operator that was killed after posting
one and decides the same again posts it into a name that is taken, and nothing is told twice.
"""

import asyncio
import hashlib
from typing import Final

import structlog

from turnout.adapters.documents import Document
from turnout.adapters.ports import Clock, Cluster, Manifest
from turnout.adapters.quoting import quoted
from turnout.core.plan import Announcement
from turnout.errors import AlreadyExists, TurnoutError

logger = structlog.stdlib.get_logger(__name__)

LONGEST_NOTE: Final = 1000
"""Bytes: the API refuses notes over 1 kB."""

_WAITING: Final = 256


def render_event(
    announcement: Announcement, regarding: Document, at: str, reporter: str
) -> Manifest:
    """Render an events.k8s.io/v1 Event."""
    metadata, target = regarding["metadata"], announcement.regarding
    identity = f"{metadata['uid']}/{announcement.key}/{announcement.reason}"
    mark = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{target.name}.{mark}", "namespace": target.namespace},
        "eventTime": at,
        "type": "Warning" if announcement.warning else "Normal",
        "reason": announcement.reason,
        "action": "Rollout",
        "note": _note(announcement.message),
        "reportingController": "turnout.dev/operator",
        "reportingInstance": reporter[:128],
        "regarding": {
            "apiVersion": "turnout.dev/v1alpha1",
            "kind": target.kind,
            "name": target.name,
            "namespace": target.namespace,
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
    }


def _note(message: str) -> str:
    """Return a message as far as it fits."""
    shown = quoted(message, LONGEST_NOTE)
    return shown.encode()[:LONGEST_NOTE].decode(errors="ignore")


class Herald:
    """Posts Events in the order they were told, beside the work: a slow post delays nothing."""

    def __init__(self, cluster: Cluster, clock: Clock, reporter: str) -> None:
        self._cluster = cluster
        self._clock = clock
        self._reporter = reporter
        self._waiting: asyncio.Queue[Manifest] = asyncio.Queue(maxsize=_WAITING)

    def tell(self, announcement: Announcement, regarding: Document) -> None:
        """Take an Event to be posted; where hundreds wait already it is only logged."""
        at = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        try:
            self._waiting.put_nowait(render_event(announcement, regarding, at, self._reporter))
        except asyncio.QueueFull:
            logger.warning("event dropped", reason=announcement.reason)

    async def run(self) -> None:
        """Post Events until cancelled."""
        while True:
            manifest = await self._waiting.get()
            try:
                await self._cluster.create(manifest)
            except AlreadyExists:
                continue
            except TurnoutError as error:
                logger.warning("event lost", reason=manifest["reason"], error=str(error))
