"""The example in a namespace of a test's own, without a gateway."""

import copy
import json
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Final

from demo.stage import OPERATOR_NAMESPACE, Stage
from tests.examples.mounted import manifests
from tests.support.api import Document
from tests.support.kubectl import Kubectl, eventually
from turnout.adapters.documents import NAMESPACE
from turnout.core.naming import AGENT_LABEL, VERSION_LABEL

IMAGE: Final = "turnout.dev/support-agent:dev"
PORT: Final = 8080
BROKEN: Final = "Order 1042 arrived broken, I want my money back."
PATIENCE: Final = 5
"""Seconds for a readiness probe: a busy machine is no verdict."""


@contextmanager
def namespace(stage: Stage, name: str) -> Iterator[Kubectl]:
    """Make a namespace, and take it away again."""
    admin = Kubectl(stage.cluster, name)
    admin.api.create(NAMESPACE.path(), {"metadata": {"name": name}})
    try:
        yield admin
    finally:
        admin.run("delete", "namespace", name, "--wait=false")


def agent(name: str, backend: str, **spec: Any) -> Document:
    """Write the example's Agent with one pod, its model and its shop in a Service of this name."""
    (document,) = copy.deepcopy(manifests("agent"))
    chosen: dict[str, Any] = document["spec"]
    del chosen["strategyRef"]
    (container,) = chosen["template"]["spec"]["containers"]
    container["readinessProbe"]["timeoutSeconds"] = PATIENCE
    urls = {
        "OPENAI_BASE_URL": f"http://{backend}:{PORT}/v1",
        "SHOP_URL": f"http://{backend}:{PORT}/tools",
    }
    kept = [one for one in container["env"] if one["name"] not in urls]
    container["env"] = [*kept, *({"name": key, "value": value} for key, value in urls.items())]
    traffic = {"mode": "ReplicaRatio", "service": {"port": PORT}}
    document["spec"] = chosen | {"replicas": 1, "traffic": traffic} | spec
    document["metadata"]["name"] = name
    return document


def tools(backend: str) -> Document:
    """Write the example's tools, called at a Service of this name."""
    (document,) = copy.deepcopy(manifests("tools"))
    document["spec"]["servers"][0]["url"] = f"http://{backend}:{PORT}/tools"
    return document


def program(name: str, *command: str) -> list[Document]:
    """Write a pod that serves a program of the example's image, and its Service."""
    probe = {"httpGet": {"path": "/healthz", "port": PORT}, "timeoutSeconds": PATIENCE}
    container = {
        "name": name,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", *command],
        "readinessProbe": probe,
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
    }
    labels = {"app": name}
    spec = {"containers": [container], "automountServiceAccountToken": False}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}}
    ports = {"selector": labels, "ports": [{"port": PORT}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": ports}
    return [pod | {"spec": spec}, service]


def await_program(admin: Kubectl, name: str) -> None:
    """Wait until a program serves."""
    eventually(f"{name} serves", lambda: _is_ready(admin.get("pods", name) or {}))


def pods(admin: Kubectl, name: str) -> list[Document]:
    """Return the pods of an agent that are not on their way out."""
    found = admin.list("pods", f"{AGENT_LABEL}={name}")
    return [one for one in found if "deletionTimestamp" not in one["metadata"]]


def identities(admin: Kubectl, name: str) -> set[tuple[str, int]]:
    """Name an agent's pods with how often their containers were started again."""
    return {
        (one["metadata"]["uid"], sum(c["restartCount"] for c in one["status"]["containerStatuses"]))
        for one in pods(admin, name)
    }


def await_only(admin: Kubectl, name: str, version: str) -> None:
    """Wait until all pods of an agent are of one version."""
    eventually(
        f"{name} has pods of {version} only",
        lambda: (
            {one["metadata"]["labels"][VERSION_LABEL] for one in pods(admin, name)} == {version}
        ),
    )


def await_ready(admin: Kubectl, name: str, *, but: frozenset[str] = frozenset()) -> Document:
    """Wait for a ready pod of an agent, other than some that are known by name."""

    def ready() -> Document | None:
        return next(
            (
                one
                for one in pods(admin, name)
                if one["metadata"]["name"] not in but and _is_ready(one)
            ),
            None,
        )

    return eventually(f"{name} has a ready pod", ready)


def _is_ready(pod: Document) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any((one["type"], one["status"]) == ("Ready", "True") for one in conditions)


def address(pod: Document) -> str:
    """Return where a pod is reached, past every Service."""
    return str(pod["status"]["podIP"])


def ask(host: str, text: str) -> Document:
    """Ask a pod or a Service, by a connection of its own; returns what became of the task."""
    body = {"messages": [{"role": "user", "content": text}]}
    url = f"http://{host}:{PORT}/v1/chat/completions"
    request = urllib.request.Request(url, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=120) as answer:
        task: Document = json.load(answer)["task"]
    return task


@contextmanager
def customers(
    admin: Kubectl, names: Iterable[str], number: int = 2, text: str = BROKEN
) -> Iterator[None]:
    """Ask the Services of these agents, so many people each, one question after another."""
    left = threading.Event()

    def write_on(host: str) -> None:
        while not left.is_set():
            with suppress(OSError):
                ask(host, text)
            left.wait(0.1)

    hosts = [(admin.get("services", name) or {})["spec"]["clusterIP"] for name in names]
    with ThreadPoolExecutor(number * len(hosts)) as people:
        for host in hosts * number:
            people.submit(write_on, host)
        try:
            yield
        finally:
            left.set()


def operators(stage: Stage) -> Kubectl:
    """Return an administrator's kubectl where the operator runs."""
    return Kubectl(stage.cluster, OPERATOR_NAMESPACE)
