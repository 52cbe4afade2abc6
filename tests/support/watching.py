"""Watches of what a test measures, with the moment at which each change was seen."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

from urllib3.exceptions import HTTPError

from devcluster import Cluster
from tests.support.api import Api, Document
from turnout.adapters.documents import AGENT_ROLLOUT, HTTP_ROUTE, POD, Kind

See = Callable[[float, Document], None]
"""Told of an object as it is from then on; the time is in unix seconds."""

_STREAM_SECONDS: Final = 5


def weights_of(route: Document) -> dict[str, int]:
    """Read the weights of a route's first rule by backend."""
    backends = route["spec"]["rules"][0].get("backendRefs") or ()
    return {ref["name"]: ref["weight"] for ref in backends}


class Watches:
    """Any number of watches, each in a thread of its own."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def follow(self, kind: Kind, namespace: str | None, see: See) -> None:
        """Tell of each object of a kind from now on; None follows all namespaces."""
        thread = threading.Thread(
            target=self._live, args=(Api(self._cluster.kubeconfig), kind.path(namespace), see)
        )
        self._threads.append(thread)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _live(self, api: Api, path: str, see: See) -> None:
        version = ""
        while not self._ended.is_set():
            try:
                for event in api.watch(path, version, _STREAM_SECONDS):
                    version = self._told(event, see)
            except HTTPError:
                time.sleep(0.1)

    @staticmethod
    def _told(event: dict[str, Any], see: See) -> str:
        """Pass an event on; returns from where to go on, "" for the beginning."""
        if event["type"] == "ERROR":
            return ""
        if event["type"] != "DELETED":
            see(time.time(), event["object"])
        version: str = event["object"]["metadata"]["resourceVersion"]
        return version


@dataclass(frozen=True)
class Seen:
    """Something that appeared: its version, and when (unix seconds)."""

    version: str
    at: float


class Watch(Watches):
    """Watches the pods, routes and rollouts of one namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        super().__init__(cluster)
        self._pods: dict[str, Seen] = {}
        self._weights: list[tuple[float, dict[str, int]]] = []
        self._rollouts: dict[str, str] = {}
        self.follow(POD, namespace, self._see_pod)
        self.follow(HTTP_ROUTE, namespace, self._see_route)
        self.follow(AGENT_ROLLOUT, namespace, self._see_rollout)

    def _see_pod(self, at: float, pod: Document) -> None:
        version = (pod["metadata"].get("labels") or {}).get("turnout.dev/version", "")
        self._pods.setdefault(pod["metadata"]["name"], Seen(version, at))

    def _see_route(self, at: float, route: Document) -> None:
        self._weights.append((at, weights_of(route)))

    def _see_rollout(self, _: float, rollout: Document) -> None:
        self._rollouts[rollout["spec"]["to"]["version"]] = rollout["metadata"]["name"]

    def first_pod(self, since: float, but: str) -> Seen | None:
        """Find the first pod seen since then that is not of this version."""
        pods = [one for one in list(self._pods.values()) if one.at >= since and one.version != but]
        return min(pods, key=lambda one: one.at, default=None)

    def rollout(self, version: str) -> str | None:
        """Find the newest rollout to a version."""
        return self._rollouts.get(version)

    def weight(self, version: str) -> int:
        """Give a version's weight as seen last."""
        return self._weights[-1][1].get(version, 0) if self._weights else 0

    def weight_since(self, version: str, weight: int, since: float) -> float | None:
        """Tell when a version was first seen with this weight since then."""
        moments = [
            at for at, seen in list(self._weights) if at >= since and seen.get(version, 0) == weight
        ]
        return min(moments, default=None)


class History(Watches):
    """Every state of the rollouts and routes of a whole cluster.

    Attributes:
        starts: When each step of each rollout began, by all that was ever recorded of it; by
            namespace, rollout and step.
        weights: The weights that each namespace's route had one after another.
    """

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.starts: dict[tuple[str, str, int], set[str]] = {}
        self.weights: dict[str, list[dict[str, int]]] = {}
        self.follow(AGENT_ROLLOUT, None, self._see_rollout)
        self.follow(HTTP_ROUTE, None, self._see_route)

    def _see_rollout(self, _: float, rollout: Document) -> None:
        step = (rollout.get("status") or {}).get("step") or {}
        if step.get("startedAt"):
            metadata = rollout["metadata"]
            key = (metadata["namespace"], metadata["name"], step["index"])
            self.starts.setdefault(key, set()).add(step["startedAt"])

    def _see_route(self, _: float, route: Document) -> None:
        seen = self.weights.setdefault(route["metadata"]["namespace"], [])
        if not seen or seen[-1] != weights_of(route):
            seen.append(weights_of(route))
