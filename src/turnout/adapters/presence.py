"""Whether a kind is there to stay, seen without the right to read its definition.

Two things tell, and both are open to whoever may read the kind's objects: discovery stops to offer
`create` while the kind is being deleted, and the API server ends every watch of a kind one second
after it went (measured, 1.36).
"""

import asyncio
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient
from typing_extensions import override

from turnout.adapters.decoding import decode
from turnout.adapters.documents import Document, Kind, Ref, ref_of
from turnout.adapters.kube import CALL_TIMEOUT, headers_of
from turnout.adapters.ports import Presence
from turnout.errors import Invalid, Transient

LONGEST: Final = 24 * 3600
"""Seconds that a watch is asked for: the server's own end of it must be a rare thing."""

_SILENCE: Final = 150.0  # seconds: bookmarks come once a minute, so a stream that says less is dead
_NAMES_ONLY: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class KubePresence(Presence):
    """The Presence port on a real API server."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    @override
    async def offers_create(self, kind: Kind) -> bool:
        group, _, _ = kind.path().rpartition("/")
        headers = await headers_of(self._client) | {"Accept": "application/json"}
        url = f"{self._client.configuration.host}{group}"
        try:
            async with asyncio.timeout(CALL_TIMEOUT.total_seconds()):
                answer = await self._client.rest_client.request("GET", url, headers=headers)
                raw = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Transient(f"cannot discover {kind.resource}: no answer") from error
        if answer.status == HTTPStatus.NOT_FOUND:
            return False
        if answer.status != HTTPStatus.OK:
            raise Transient(f"cannot discover {kind.resource}: HTTP {answer.status}")
        return _offers_create(decode(raw), kind)

    @override
    async def changes(self, kind: Kind, namespace: str) -> AsyncGenerator[tuple[Ref, bool]]:
        wanted = {"watch": "1", "timeoutSeconds": str(LONGEST), "allowWatchBookmarks": "true"}
        url = f"{self._client.configuration.host}{kind.path(namespace)}?{urlencode(wanted)}"
        headers = await headers_of(self._client) | {"Accept": _NAMES_ONLY}
        patience = CALL_TIMEOUT.total_seconds()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=patience, sock_read=_SILENCE)
        connector = aiohttp.TCPConnector(ssl=self._client.rest_client.ssl_context)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.get(url, headers=headers) as answer,
            ):
                if answer.status != HTTPStatus.OK:
                    raise Transient(f"cannot watch {kind.resource}: HTTP {answer.status}")
                async for line in answer.content:
                    if (change := _change(line, kind)) is not None:
                        yield change
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Transient(f"the watch of {kind.resource} broke") from error


def _offers_create(served: Document, kind: Kind) -> bool:
    resources = served.get("resources") or ()
    verbs = [one.get("verbs") or () for one in resources if one.get("name") == kind.plural]
    return any("create" in offered for offered in verbs)


def _change(line: bytes, kind: Kind) -> tuple[Ref, bool] | None:
    """Read an event of a watch; None where it is about no object."""
    try:
        event = decode(line)
        return ref_of(event["object"], kind), event["type"] != "DELETED"
    except (Invalid, KeyError):
        return None
