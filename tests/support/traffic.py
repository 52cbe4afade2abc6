"""Requests to every agent of a light cluster, as the counters of its pods.

KWOK's pods answer nothing, so what they would have counted is counted here: so many requests a
second for each agent, shared as its HTTPRoute says among the ready pods, and answered as the
prompt of each version deserves. A real Prometheus scrapes the counters.
"""

import threading
import time
from collections import defaultdict
from typing import Any, Final, Self

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from tests.support.api import Api, Document
from tests.support.operator import free_port
from turnout.adapters.documents import CONFIG_MAP, HTTP_ROUTE, POD
from turnout.core.naming import AGENT_LABEL, MODE_LABEL, VERSION_LABEL
from turnout.core.pods import LIVE

RATE: Final = 40
"""Requests a second to each agent."""

WORSE: Final = "worse"
"""A version whose prompt has this word fails two requests of five."""

WEAK: Final = "weak"
"""A version whose prompt has this word does so with more than half of the requests, else none."""

SLOW: Final = "slow"
"""A version whose prompt has this word takes two seconds for each request."""

HALF: Final = 50

_TICK: Final = 0.25
_POD: Final = ("namespace", "pod")


class Traffic:
    """The requests, from a thread of its own."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._registry = CollectorRegistry()
        self._tasks = Counter(
            "agent_tasks", "Tasks by outcome.", (*_POD, "outcome"), registry=self._registry
        )
        self._seconds = Histogram(
            "agent_task_seconds", "Time.", _POD, buckets=(0.5, 1, 5), registry=self._registry
        )
        self._owed: defaultdict[tuple[str, str, str], float] = defaultdict(float)
        self._prompts: dict[tuple[str, str], str] = {}
        self._pods: set[tuple[str, str]] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic")
        self.address = f"127.0.0.1:{free_port()}"

    def __enter__(self) -> Self:
        port = int(self.address.rpartition(":")[2])
        self._server, self._serving = start_http_server(port, "127.0.0.1", self._registry)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._server.shutdown()
        self._server.server_close()
        self._serving.join()

    def _run(self) -> None:
        before = time.monotonic()
        while not self._stopped.wait(_TICK):
            now = time.monotonic()
            self._answer(RATE * (now - before))
            before = now

    def _answer(self, requests: float) -> None:
        """Answer so many requests to each agent."""
        pods = self._ready_pods()
        self._forget({one for ready in pods.values() for one in ready})
        for route in self._api.list(f"{HTTP_ROUTE.path()}?labelSelector={AGENT_LABEL}"):
            namespace = route["metadata"]["namespace"]
            for backend in route["spec"]["rules"][0].get("backendRefs") or ():
                ready = pods.get((namespace, backend["name"]), [])
                share = requests * backend["weight"] / 100
                prompt = self._prompt(namespace, backend["name"])
                if WEAK in prompt and backend["weight"] > HALF:
                    prompt += WORSE
                for pod in ready:
                    self._serve(pod, prompt, share / len(ready))

    def _ready_pods(self) -> dict[tuple[str, str], list[tuple[str, str]]]:
        found: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        live = f"{AGENT_LABEL},{MODE_LABEL}={LIVE}"
        for pod in self._api.list(f"{POD.path()}?labelSelector={live}"):
            metadata = pod["metadata"]
            if _is_ready(pod):
                version = metadata["labels"][VERSION_LABEL]
                found[metadata["namespace"], version].append(
                    (metadata["namespace"], metadata["name"])
                )
        return found

    def _serve(self, pod: tuple[str, str], prompt: str, share: float) -> None:
        self._pods.add(pod)
        for outcome, part in _outcomes(prompt):
            owed = self._owed[*pod, outcome] + share * part
            whole = int(owed)
            self._owed[*pod, outcome] = owed - whole
            self._tasks.labels(*pod, outcome).inc(whole)
            for _ in range(whole):
                self._seconds.labels(*pod).observe(2.0 if SLOW in prompt else 0.1)

    def _prompt(self, namespace: str, version: str) -> str:
        """Return all text of a version's content."""
        if (namespace, version) not in self._prompts:
            content: Any = self._api.get(CONFIG_MAP.path(namespace, version)) or {}
            self._prompts[namespace, version] = " ".join((content.get("data") or {}).values())
        return self._prompts[namespace, version]

    def _forget(self, ready: set[tuple[str, str]]) -> None:
        """End the series of pods that are gone."""
        for pod in self._pods - ready:
            for outcome in ("success", "failure"):
                self._tasks.remove(*pod, outcome)
            self._seconds.remove(*pod)
        self._pods &= ready


def _outcomes(prompt: str) -> tuple[tuple[str, float], ...]:
    good = 0.6 if WORSE in prompt else 1.0
    return ("success", good), ("failure", 1 - good)


def _is_ready(pod: Document) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
