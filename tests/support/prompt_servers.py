"""Langfuse and MLflow on loopback, as far as the task `prompt` asks them: faithful to their APIs.

Langfuse as its API definition says (fern/apis/server/definition/prompts.yml). MLflow as a server
of version 3.17 answers; tests/jobs/test_mlflow.py asks a real one the same.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.mcp_server import serve
from tests.support.operator import free_port

PUBLIC, SECRET, BEARER = "pk-lf-1", "sk-lf-1", "let-me-in"

MODEL = object()
"""In place of a text: a model of MLflow's, which is no prompt."""


@dataclass
class Registry:
    """Prompts of either system: texts by version, and what points at them.

    Attributes:
        url: Where it listens.
        versions: Texts, or messages of chat prompts, by name and version.
        pointers: Versions by name and label or alias.
        status: Answer with this status and nothing else, while set.
        asked: Paths that were asked for, the newest last.
    """

    url: str
    versions: dict[tuple[str, int], Any] = field(default_factory=dict)
    pointers: dict[tuple[str, str], int] = field(default_factory=dict)
    status: int | None = None
    asked: list[str] = field(default_factory=list)

    def add(self, name: str, version: int, text: Any, pointer: str | None = None) -> None:
        self.versions[name, version] = text
        if pointer is not None:
            self.pointers[name, pointer] = version

    def find(self, name: str, version: str | None, pointer: str | None) -> tuple[int, Any] | None:
        number = int(version) if version else self.pointers.get((name, pointer or ""), 0)
        text = self.versions.get((name, number))
        return None if text is None else (number, text)


def _langfuse(registry: Registry) -> Starlette:
    async def prompt(request: Request) -> Response:
        registry.asked.append(request.url.path)
        key = base64.b64encode(f"{PUBLIC}:{SECRET}".encode()).decode()
        if registry.status is not None:
            return Response(status_code=registry.status)
        if request.headers.get("authorization") != f"Basic {key}":
            return JSONResponse({"message": "Invalid credentials."}, status_code=401)
        name, query = request.path_params["name"], request.query_params
        found = registry.find(name, query.get("version"), query.get("label"))
        if found is None:
            return JSONResponse({"message": "Prompt not found"}, status_code=404)
        version, text = found
        kind = "text" if isinstance(text, str) else "chat"
        told = {"name": name, "version": version, "type": kind, "prompt": text}
        return JSONResponse(told | {"config": {}, "labels": [], "tags": []})

    return Starlette(routes=[Route("/api/public/v2/prompts/{name:path}", prompt)])


def _mlflow(registry: Registry) -> Starlette:
    def answer(request: Request, found: tuple[int, Any] | None, absent: int) -> Response:
        registry.asked.append(request.url.path)
        if registry.status is not None:
            return Response(status_code=registry.status)
        if request.headers.get("authorization") != f"Bearer {BEARER}":
            return Response(status_code=401)
        if found is None:
            return JSONResponse({"error_code": "NOT_FOUND"}, status_code=absent)
        version, text = found
        tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
        if text is not MODEL:
            kind = "text" if isinstance(text, str) else "chat"
            tags += [
                {"key": "_mlflow_prompt_type", "value": kind},
                {"key": "mlflow.prompt.text", "value": str(text)},
            ]
        name = request.query_params["name"]
        told = {"name": name, "version": str(version), "tags": tags, "status": "READY"}
        return JSONResponse({"model_version": told})

    async def version(request: Request) -> Response:
        query = request.query_params
        return answer(request, registry.find(query["name"], query["version"], None), 404)

    async def alias(request: Request) -> Response:
        query = request.query_params
        return answer(request, registry.find(query["name"], None, query["alias"]), 400)

    base = "/api/2.0/mlflow"
    return Starlette(
        routes=[
            Route(f"{base}/model-versions/get", version),
            Route(f"{base}/registered-models/alias", alias),
        ]
    )


@contextmanager
def serve_langfuse() -> Iterator[Registry]:
    port = free_port()
    registry = Registry(f"http://localhost:{port}")
    with serve(_langfuse(registry), port):
        yield registry


@contextmanager
def serve_mlflow() -> Iterator[Registry]:
    port = free_port()
    registry = Registry(f"http://localhost:{port}")
    with serve(_mlflow(registry), port):
        yield registry
