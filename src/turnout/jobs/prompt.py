"""Task `prompt`: what is the text of this prompt in its registry now?

Langfuse: GET /api/public/v2/prompts/{name}, Basic authentication by the API key's halves. MLflow:
a prompt version is a model version with tags; REST API 2.0, a bearer token where one is needed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from turnout.api.prompt import LONGEST_TEXT
from turnout.errors import TaskFailed
from turnout.jobs.reach import Reach, body_of

_ABSENT: Final = {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}
"""MLflow answers 400 to an alias that does not exist."""


async def run(description: Mapping[str, Any], reach: Reach) -> Mapping[str, Any]:
    """Read one version, by its number or by what points at it.

    Raises:
        TaskFailed: There is no such text, or it cannot be read.
    """
    read = _langfuse if description["system"] == "langfuse" else _mlflow
    version, text = await read(description, reach)
    if not isinstance(text, str):
        raise TaskFailed("Unsupported", "it is a chat prompt; only text prompts can be taken")
    if not 0 < len(text) <= LONGEST_TEXT:
        message = f"it has {len(text)} characters, from 1 to {LONGEST_TEXT} are taken"
        raise TaskFailed("TooLarge", message)
    return {"version": str(version), "text": text}


async def _langfuse(asked: Mapping[str, Any], reach: Reach) -> tuple[object, object]:
    public, secret = (reach.secret(number, name) for number, name in enumerate(asked["secrets"]))
    path = f"/api/public/v2/prompts/{quote(asked['name'], safe='')}"
    which = {"label": asked["pointer"]} if "pointer" in asked else {"version": asked["version"]}
    key = base64.b64encode(f"{public}:{secret}".encode()).decode()
    found = await _json(asked["url"] + path, which, reach, f"Basic {key}")
    return _taken(found, "version"), found.get("prompt")


async def _mlflow(asked: Mapping[str, Any], reach: Reach) -> tuple[object, object]:
    token = [reach.secret(number, name) for number, name in enumerate(asked.get("secrets", ()))]
    if "pointer" in asked:
        path, which = "/registered-models/alias", {"alias": asked["pointer"]}
    else:
        path, which = "/model-versions/get", {"version": str(asked["version"])}
    query = {"name": asked["name"], **which}
    credentials = f"Bearer {token[0]}" if token else None
    found = await _json(f"{asked['url']}/api/2.0/mlflow{path}", query, reach, credentials)
    version = _taken(found, "model_version")
    if not isinstance(version, Mapping):
        raise _misshapen()
    tags = {one["key"]: one["value"] for one in version.get("tags") or ()}
    if "mlflow.prompt.text" not in tags:
        raise TaskFailed("Unsupported", "it is a model and not a prompt")
    chat = tags.get("_mlflow_prompt_type", "text") != "text"
    return _taken(version, "version"), None if chat else tags["mlflow.prompt.text"]


async def _json(
    url: str, query: Mapping[str, str | int], reach: Reach, credentials: str | None
) -> Mapping[str, Any]:
    """Read one JSON object.

    Raises:
        TaskFailed: There is none; the message tells nothing of what was answered but the status.
    """
    headers = {} if credentials is None else {"Authorization": credentials}
    async with reach.client(headers) as http:
        answer = await http.get(url, params=query)
    if answer.status_code in _ABSENT:
        raise TaskFailed("NotFound", "there is no such prompt, version, label or alias")
    content = body_of(answer)
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _misshapen() from error
    if not isinstance(found, dict):
        raise _misshapen()
    return found


def _taken(found: Mapping[str, Any], key: str) -> object:
    if not found.get(key):
        raise _misshapen()
    return found[key]


def _misshapen() -> TaskFailed:
    return TaskFailed("Unreadable", "the answer is not what its API documents")
