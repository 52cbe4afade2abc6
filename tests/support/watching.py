"""A watch of what a test measures, with the moment at which each change was seen."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from kubernetes import client, config, watch
from urllib3.exceptions import HTTPError

from devcluster import Cluster

GROUP, VERSION = "turnout.dev", "v1alpha1"


@dataclass(frozen=True)
class Seen:
    """Something that appeared: its version, and when (unix seconds)."""

    version: str
    at: float


class Watch:
    """Watches the pods, routes and rollouts of one namespace in threads of its own."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        api = config.new_client_from_config(str(cluster.kubeconfig))
        self._namespace = namespace
        self._core = client.CoreV1Api(api)
        self._custom = client.CustomObjectsApi(api)
        self._ended = threading.Event()
        self._pods: dict[str, Seen] = {}
        self._weights: list[tuple[float, dict[str, int]]] = []
        self._rollouts: dict[str, str] = {}

    def __enter__(self) -> Self:
        for life in (self._watch_pods, self._watch_routes, self._watch_rollouts):
            threading.Thread(target=self._live, args=(life,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _live(self, life: Callable[[], None]) -> None:
        """Watch until the end; a server that goes away after it is no trouble."""
        while not self._ended.is_set():
            try:
                life()
            except HTTPError:
                if not self._ended.is_set():
                    raise

    def merge(self, plural: str, name: str, patch: dict[str, Any]) -> None:
        """Merge-patch one of our objects, without the time that kubectl takes to start."""
        self._custom.patch_namespaced_custom_object(
            GROUP,
            VERSION,
            self._namespace,
            plural,
            name,
            patch,
            _content_type="application/merge-patch+json",
        )

    def _watch_pods(self) -> None:
        for event in watch.Watch().stream(self._core.list_namespaced_pod, self._namespace):
            metadata = event["raw_object"]["metadata"]
            version = (metadata.get("labels") or {}).get("turnout.dev/version", "")
            self._pods.setdefault(metadata["name"], Seen(version, time.time()))

    def _watch_routes(self) -> None:
        self._follow(
            ("gateway.networking.k8s.io", "v1", self._namespace, "httproutes"), self._see_route
        )

    def _watch_rollouts(self) -> None:
        self._follow((GROUP, VERSION, self._namespace, "agentrollouts"), self._see_rollout)

    def _follow(self, where: tuple[str, ...], see: Callable[[float, dict[str, Any]], None]) -> None:
        listing = self._custom.list_namespaced_custom_object
        for event in watch.Watch().stream(listing, *where):
            see(time.time(), event["object"])

    def _see_route(self, at: float, route: dict[str, Any]) -> None:
        backends = route["spec"]["rules"][0].get("backendRefs", [])
        self._weights.append((at, {ref["name"]: ref["weight"] for ref in backends}))

    def _see_rollout(self, _: float, rollout: dict[str, Any]) -> None:
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
