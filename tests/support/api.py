"""Requests to an API server as its administrator, without the time that kubectl takes to start."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from kubernetes import config

Document = dict[str, Any]


class Api:
    """Documents by URL path."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client = config.new_client_from_config(str(kubeconfig))
        self._host = self._client.configuration.host

    def get(self, path: str) -> Document | None:
        """Read an object or a list; None where there is none."""
        code, body = self._send("GET", path)
        if code == HTTPStatus.NOT_FOUND:
            return None
        assert code == HTTPStatus.OK, f"GET {path}: {code} {body[:500]!r}"
        found: Document = json.loads(body)
        return found

    def list(self, path: str) -> list[Document]:
        """Read the items of a list; none where the kind or the namespace is not there."""
        items: list[Document] = (self.get(path) or {}).get("items") or []
        return items

    def create(self, path: str, manifest: Document) -> None:
        """Make an object."""
        code, body = self._send("POST", path, {"Content-Type": "application/json"}, manifest)
        assert code == HTTPStatus.CREATED, f"POST {path}: {code} {body[:500]!r}"

    def send(self, path: str, manifest: Document) -> tuple[int, str]:
        """Try to make an object; returns the code of the answer and what it says."""
        code, body = self._send("POST", path, {"Content-Type": "application/json"}, manifest)
        return code, str(json.loads(body).get("message", ""))

    def merge(self, path: str, patch: Document, user: str | None = None) -> None:
        """Merge a patch into an object, in somebody's name or the administrator's own."""
        headers = {"Content-Type": "application/merge-patch+json"}
        headers |= {"Impersonate-User": user} if user else {}
        code, body = self._send("PATCH", path, headers, patch)
        assert code == HTTPStatus.OK, f"PATCH {path}: {code} {body[:500]!r}"

    def watch(self, path: str, version: str, seconds: int) -> Iterator[Document]:
        """Yield the events of a collection since a version, for so long; "" begins with all."""
        query = {"watch": "1", "timeoutSeconds": str(seconds)} | (
            {"resourceVersion": version} if version else {}
        )
        answer = self._client.rest_client.pool_manager.request(
            "GET",
            f"{self._host}{path}?{urlencode(query)}",
            headers=self._headers(),
            preload_content=False,
        )
        try:
            for line in answer:
                yield json.loads(line)
        finally:
            answer.close()

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        self._client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
        return headers

    def _send(
        self,
        method: str,
        path: str,
        more: dict[str, str] | None = None,
        body: Document | None = None,
    ) -> tuple[int, bytes]:
        headers = self._headers() | (more or {})
        url = self._host + path
        answer = self._client.rest_client.request(method, url, headers=headers, body=body)
        return answer.status, answer.read()
