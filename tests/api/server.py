"""Talks to a real API server about our kinds, in documents."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import kubernetes
from kubernetes.client import ApiException

from devcluster import Cluster
from turnout.api.base import GROUP, VERSION
from turnout.api.kinds import KINDS

Document = dict[str, Any]

PLURALS = {kind.name: kind.plural for kind in KINDS}
NAMESPACE = "default"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


@dataclass(frozen=True)
class Answer:
    """What the API server said: the object, or why not."""

    status: int
    document: Document

    @property
    def accepted(self) -> bool:
        return self.status < HTTPStatus.BAD_REQUEST

    @property
    def message(self) -> str:
        return str(self.document.get("message", ""))


class ApiServer:
    """The API server of a light cluster."""

    def __init__(self, cluster: Cluster) -> None:
        client = kubernetes.config.new_client_from_config(str(cluster.kubeconfig))
        self._api = kubernetes.client.CustomObjectsApi(client)
        self._crds = kubernetes.client.ApiextensionsV1Api(client)
        self._kubectl = [cluster.kubectl, "--kubeconfig", str(cluster.kubeconfig)]

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl and return what it printed."""
        done = subprocess.run(
            [*self._kubectl, *arguments], capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    def install(self, crds: Path) -> None:
        """Apply our CRDs the plain way and wait until they are served."""
        self.kubectl("apply", "-f", str(crds))
        names = [f"crd/{kind.plural}.{GROUP}" for kind in KINDS]
        self.kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)
        deadline = time.monotonic() + 30
        while "tagent" not in self.kubectl("api-resources", f"--api-group={GROUP}"):
            assert time.monotonic() < deadline, "discovery does not offer our kinds"
            time.sleep(0.1)

    def conditions(self, plural: str) -> dict[str, str]:
        """The conditions of a CRD."""
        crd = json.loads(self.kubectl("get", "crd", f"{plural}.{GROUP}", "-o", "json"))
        return {one["type"]: one["status"] for one in crd["status"]["conditions"]}

    def create(self, document: Document, *, keep: bool = False) -> Answer:
        """Create an object strictly: unknown fields are refused. Kept only on demand."""
        options = {} if keep else {"dry_run": "All"}
        return _answer(
            self._api.create_namespaced_custom_object,
            *self._kind(document["kind"]),
            document,
            field_validation="Strict",
            **options,
        )

    @contextmanager
    def holding(self, document: Document) -> Iterator["ApiServer"]:
        """Keep an object for as long as the block runs."""
        answer = self.create(document, keep=True)
        assert answer.accepted, answer.message
        try:
            yield self
        finally:
            self.delete(document["kind"], document["metadata"]["name"])

    def patch(self, kind: str, name: str, change: Document | list[Document]) -> Answer:
        """Patch an object: a document merges, a list is a JSON patch."""
        return _answer(
            self._api.patch_namespaced_custom_object,
            *self._kind(kind),
            name,
            change,
            _content_type=JSON_PATCH if isinstance(change, list) else MERGE,
        )

    def patch_status(self, kind: str, name: str, status: Document) -> Answer:
        """Merge into an object's status."""
        return _answer(
            self._api.patch_namespaced_custom_object_status,
            *self._kind(kind),
            name,
            {"status": status},
            _content_type=MERGE,
        )

    def scale(self, name: str, replicas: int) -> Answer:
        """Set an Agent's replicas as an autoscaler does."""
        change = {"spec": {"replicas": replicas}}
        call = self._api.patch_namespaced_custom_object_scale
        return _answer(call, *self._kind("Agent"), name, change, _content_type=MERGE)

    def get(self, kind: str, name: str) -> Document:
        """Read an object."""
        call = self._api.get_namespaced_custom_object
        return _answer(call, *self._kind(kind), name).document

    def select(self, kind: str, field_selector: str) -> list[str]:
        """Names of the objects that a field selector finds."""
        call = self._api.list_namespaced_custom_object
        found = _answer(call, *self._kind(kind), field_selector=field_selector).document
        return [item["metadata"]["name"] for item in found["items"]]

    def delete(self, kind: str, name: str) -> None:
        """Delete an object."""
        self._api.delete_namespaced_custom_object(*self._kind(kind), name)

    def _kind(self, kind: str) -> tuple[str, str, str, str]:
        return GROUP, VERSION, NAMESPACE, PLURALS[kind]


def _answer(call: Callable[..., Any], *arguments: Any, **options: Any) -> Answer:
    try:
        return Answer(HTTPStatus.OK, call(*arguments, **options))
    except ApiException as refused:
        return Answer(refused.status, json.loads(str(refused.body)))
