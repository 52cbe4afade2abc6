"""Objects, pods and traffic in memory: what a decision is applied to, and what it then causes.

It knows only what the core's actions need: documents with a resourceVersion, Deployments that
make pods, requests that are answered by the weights. A real API server has more rules; this is for
walking days of rollouts in seconds.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from turnout.core import naming
from turnout.core.plan import Action, Annotate, Apply, Create, Record, Release, Remove

Document = dict[str, Any]
Key = tuple[str, str]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Conflict(Exception):
    """A write was made on a state that has passed, or into a name that is taken."""


def merge(target: Document, patch: Document) -> Document:
    """Apply a JSON merge patch (RFC 7386)."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            known = target.get(key)
            target[key] = merge(known if isinstance(known, dict) else {}, value)
        else:
            target[key] = copy.deepcopy(value)
    return target


@dataclass
class Pod:
    """A pod, and the requests that it has answered so far: all, and the good ones per metric.

    Attributes:
        created: Unix seconds.
        hears: It has a place to read orders of the kill switch.
        order: What it was told of the kill switch.
        repeat_at: When it is to be told once more.
    """

    version: str
    created: float
    hears: bool
    order: str | None = None
    repeat_at: str | None = None
    total: float = 0.0
    good: dict[str, float] = field(default_factory=dict)


class MemoryCluster:
    """One namespace: the objects in it, their pods, and the time."""

    def __init__(self) -> None:
        self.now = EPOCH
        self.objects: dict[Key, Document] = {}
        self.pods: dict[str, Pod] = {}
        self.changes = 0
        """Counts changes of objects and pods."""
        self._versions = itertools.count(1)

    # objects

    def store(self, document: Document) -> None:
        """Put an object as `kubectl apply` would: the spec replaced, the status kept."""
        document = copy.deepcopy(document)
        key = (document["kind"], document["metadata"]["name"])
        known, meta = self.objects.get(key), document["metadata"]
        meta.setdefault("namespace", "demo")
        if known is None:
            meta |= {"uid": f"uid-{next(self._versions)}", "generation": 1}
            meta["creationTimestamp"] = self.now.isoformat()
        else:
            meta |= {k: known["metadata"][k] for k in ("uid", "generation", "creationTimestamp")}
            document.setdefault("status", known.get("status", {}))
            if known.get("spec") != document.get("spec"):
                meta["generation"] += 1
        self._put(key, document)

    def patch(self, kind: str, name: str, patch: Document) -> None:
        """Patch an object as `kubectl patch --type=merge` would."""
        self.store(merge(copy.deepcopy(self.objects[kind, name]), patch))

    def get(self, kind: str, name: str) -> Document:
        """Give the object of this kind and name."""
        return self.objects[kind, name]

    def all(self, kind: str) -> list[Document]:
        """Give all objects of a kind."""
        return [document for (k, _), document in self.objects.items() if k == kind]

    def _put(self, key: Key, document: Document) -> None:
        document["metadata"]["resourceVersion"] = str(next(self._versions))
        self.objects[key] = document
        self.changes += 1

    def apply(self, action: Action) -> None:
        """Carry out one action, fenced as the API server would fence it.

        Raises:
            Conflict: The object is not what the decision was made on.
        """
        match action:
            case Create(manifest):
                key = (str(manifest["kind"]), str(manifest["metadata"]["name"]))
                if key in self.objects:
                    raise Conflict(key)
                self.store(dict(manifest))
            case Apply(manifest, version, whole):
                self._applied(dict(manifest), version, whole=whole)
            case Record(target, status, version):
                key = (target.kind, target.name)
                document = self._fenced(key, version)
                document["status"] = merge(document.get("status", {}), dict(status))
                self._put(key, document)
            case Remove(target, uid, version):
                self._remove((target.kind, target.name), uid, version)
            case Release(target, version):
                document = self._fenced((target.kind, target.name), version)
                self.store(merge(document, {"metadata": {"labels": {naming.MANAGED_BY: None}}}))
            case Annotate(target, annotations, version):
                self._annotate(target.name, annotations, version)
            case _ as never:
                assert_never(never)

    def _applied(self, manifest: Document, version: str, *, whole: bool) -> None:
        key = (str(manifest["kind"]), str(manifest["metadata"]["name"]))
        document = self._fenced(key, version)
        if whole and "spec" in manifest:  # maps and lists under it are atomic or ours alone
            document["spec"] |= copy.deepcopy(manifest["spec"])
            manifest = {"metadata": manifest["metadata"]}
        self.store(merge(document, manifest))

    def _annotate(self, name: str, annotations: Mapping[str, str | None], version: str) -> None:
        """Tell a pod of an order; what it was told before stands for its resourceVersion."""
        pod = self.pods.get(name)
        if pod is None or version != f"{pod.order} {pod.repeat_at}":
            raise Conflict(name)
        pod.order = annotations.get(naming.KILL, pod.order)
        pod.repeat_at = annotations[naming.KILL_REPEAT_AT]
        self.changes += 1

    def _remove(self, key: Key, uid: str, version: str) -> None:
        if self._fenced(key, version)["metadata"]["uid"] != uid:
            raise Conflict(key)
        del self.objects[key]
        self.changes += 1

    def _fenced(self, key: Key, version: str) -> Document:
        document = self.objects.get(key)
        if document is None or document["metadata"]["resourceVersion"] != version:
            raise Conflict(key)
        return copy.deepcopy(document)

    # pods

    def kubelet(self) -> None:
        """Make and end pods as the Deployments say."""
        before = set(self.pods)
        wanted = {one["metadata"]["name"]: one["spec"] for one in self.all("Deployment")}
        for version, spec in wanted.items():
            replicas = spec["replicas"]
            own = [name for name, pod in self.pods.items() if pod.version == version]
            for name in own[replicas:]:
                del self.pods[name]
            for _ in range(replicas - len(own)):
                hears = naming.RENDER in spec["template"]["metadata"].get("annotations", {})
                pod = Pod(version, self.now.timestamp(), hears)
                self.pods[f"{version}-{next(self._versions)}"] = pod
        for name in [name for name, pod in self.pods.items() if pod.version not in wanted]:
            del self.pods[name]
        self.changes += before != set(self.pods)

    def ready_pods(self, version: str) -> list[str]:
        """Name the pods of a version that can answer: here all of them."""
        return [name for name, pod in self.pods.items() if pod.version == version]

    # traffic

    def shares(self) -> dict[str, float]:
        """Tell which share of the requests each version is asked, whether it can answer or not."""
        route = next(iter(self.all("HTTPRoute")), None)
        if route is not None:
            backends = route["spec"]["rules"][0].get("backendRefs", [])
            return {one["name"]: one["weight"] / 100 for one in backends}
        service = next((one for one in self.all("Service") if _is_agents_own(one)), None)
        chosen = (service or {}).get("spec", {}).get("selector", {})
        if not chosen or chosen.get(naming.MODE_LABEL) != "live":
            return {}
        version = chosen.get(naming.VERSION_LABEL)
        versions = {pod.version for pod in self.pods.values()} if version is None else {version}
        ready = {one: len(self.ready_pods(one)) for one in sorted(versions)}
        return {one: count / max(1, sum(ready.values())) for one, count in ready.items()}

    def let_pass(self, seconds: float) -> None:
        """Let time pass, and nothing happen."""
        self.now += timedelta(seconds=seconds)


def _is_agents_own(service: Document) -> bool:
    return naming.STABLE_DIGEST in service["metadata"].get("annotations", {})
