"""Requests to an API server as its administrator, without the time that kubectl takes to start."""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

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

    def merge(self, path: str, patch: Document, user: str) -> None:
        """Merge a patch into an object in somebody's name."""
        headers = {"Content-Type": "application/merge-patch+json", "Impersonate-User": user}
        code, body = self._send("PATCH", path, headers, patch)
        assert code == HTTPStatus.OK, f"PATCH {path}: {code} {body[:500]!r}"

    def _send(
        self,
        method: str,
        path: str,
        more: dict[str, str] | None = None,
        body: Document | None = None,
    ) -> tuple[int, bytes]:
        headers = {"Accept": "application/json", **(more or {})}
        self._client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
        url = self._host + path
        answer = self._client.rest_client.request(method, url, headers=headers, body=body)
        return answer.status, answer.read()
