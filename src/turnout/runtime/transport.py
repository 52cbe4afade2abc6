"""What kopf reads the API server through, sifted so that one object never costs the others.

kopf decodes a list or a line of a watch as a whole, and dies where it cannot; and it tells of a
list item by item, so that what a list lacks goes unseen. It takes a session of ours instead
(`kopf.AiohttpSession`). Lists are decoded here, item by item, and handed over whole. So are the
events of a watch: kopf, which keeps a queue, a worker and a memory for each object, gets bookmarks
in their place, to know where to go on. An error in a watch ends that stream and nothing else.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final, Protocol, cast

import aiohttp
import structlog
from kubernetes.aio.client import ApiClient

from turnout.adapters.decoding import decode, decode_list, name_of
from turnout.adapters.documents import WATCHED_KINDS, Document, Kind, Ref, accepted_media, ref_of
from turnout.adapters.kube import headers_of
from turnout.adapters.ports import Listing
from turnout.errors import Invalid, Transient
from turnout.runtime.trim import slimmed

logger = structlog.stdlib.get_logger(__name__)

SHORTEST_STREAM: Final = 1.0
"""Seconds between the beginnings of two streams: kopf by itself would ask again at once."""

_CHUNK: Final = 2**16
_COLLECTION = re.compile(r"(?P<root>/.*?)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[^/]+)")
_TYPE = re.compile(rb'\{"type":"([A-Z]+)","object":')
_KINDS: Final = {kind.path(): kind for kind in WATCHED_KINDS}


class Listener(Protocol):
    """Who is told of the cluster."""

    def listed(self, kind: Kind, namespace: str | None, listing: Listing) -> None:
        """Hear of a full list."""
        ...

    def changed(self, ref: Ref, item: Document | Invalid, version: str) -> None:
        """Hear of an object as it is at a version, or why it cannot be taken."""
        ...

    def removed(self, ref: Ref, version: str) -> None:
        """Hear of an object that was deleted, or is no longer selected, at a version."""
        ...


def open_session(client: ApiClient, listener: Listener) -> aiohttp.ClientSession:
    """Open a session with the client's access to the API server; each request reads its token."""
    pages: dict[str, dict[Ref, Document | Invalid]] = {}

    async def sift(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.headers.update(await headers_of(client))
        collection = _collection(request.url.path)
        if collection is not None:
            whole_list = "watch" not in request.url.query
            request.headers["Accept"] = accepted_media(collection[0], whole_list=whole_list)
        answer = await handler(request)
        if collection is None or answer.status != HTTPStatus.OK:
            return answer
        if "watch" in request.url.query:
            body: _Body = _Stream(answer.content, collection[0], listener)
        else:
            if "continue" not in request.url.query:
                pages[request.url.path] = {}
            body = _Page(answer.content, *collection, pages[request.url.path], listener)
        answer.content = cast("aiohttp.StreamReader", body)
        return answer

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=client.rest_client.ssl_context),
        middlewares=(sift,),
    )


def _collection(path: str) -> tuple[Kind, str | None] | None:
    """Return which kind is read in which namespace; None where it is none that is watched."""
    match = _COLLECTION.fullmatch(path)
    kind = match and _KINDS.get(f"{match['root']}/{match['plural']}")
    return (kind, match["namespace"]) if match and kind else None


class _Body:
    """The body of an answer; what is not sifted stays the reader's own."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)


class _Page(_Body):
    """One page of a list: kopf learns its version and where to go on, the listener its items."""

    def __init__(
        self,
        content: aiohttp.StreamReader,
        kind: Kind,
        namespace: str | None,
        items: dict[Ref, Document | Invalid],
        listener: Listener,
    ) -> None:
        super().__init__(content)
        self._kind = kind
        self._namespace = namespace
        self._items = items
        self._listener = listener

    async def read(self) -> bytes:
        """Take the items out; the last page hands over all of them."""
        try:
            page, metadata = decode_list(await self._content.read(), self._kind)
        except Transient as error:
            raise aiohttp.ClientPayloadError(str(error)) from error
        self._items.update((ref, slimmed(ref, item)) for ref, item in page.items())
        if not metadata.get("continue"):
            listing = Listing(dict(self._items), metadata["resourceVersion"])
            self._items.clear()
            self._listener.listed(self._kind, self._namespace, listing)
        return json.dumps({"metadata": dict(metadata), "items": []}).encode()


class _Stream(_Body):
    """One watch stream: the listener learns its events, kopf how far it came."""

    def __init__(self, content: aiohttp.StreamReader, kind: Kind, listener: Listener) -> None:
        super().__init__(content)
        self._kind = kind
        self._listener = listener

    async def iter_chunked(self, _size: int) -> AsyncIterator[bytes]:
        """Pass on what kopf has to know; a line that is cut off is none."""
        loop = asyncio.get_running_loop()
        soonest_end = loop.time() + SHORTEST_STREAM
        with suppress(aiohttp.ClientError):  # a stream that breaks has ended, that is all
            async for line in _lines(self._content):
                match self._decode(line):
                    case {"type": "BOOKMARK"} | {
                        "type": "ERROR",
                        "object": {"code": HTTPStatus.GONE},
                    }:
                        yield line + b"\n"
                    case {"type": "ERROR", "object": error}:
                        code = error.get("code") if isinstance(error, Mapping) else None
                        logger.warning("watch failed", resource=self._kind.resource, code=code)
                        break
                    case {
                        "type": "ADDED" | "MODIFIED" | "DELETED" as change,
                        "object": {
                            "metadata": {"name": str(), "resourceVersion": str() as version}
                        } as found,
                    }:
                        self._hear(change, found, version)
                        yield _bookmark(version)
                    case _:
                        continue
        await asyncio.sleep(soonest_end - loop.time())

    def _hear(self, change: str, document: Document, version: str) -> None:
        ref = ref_of(document, self._kind)
        if change == "DELETED":
            self._listener.removed(ref, version)
        else:
            self._listener.changed(ref, document, version)

    def _decode(self, line: bytes) -> Document:
        """Decode an event; of one that cannot be taken the listener learns why."""
        try:
            return decode(line)
        except Invalid as reason:
            self._tell(line, reason)
            return {}

    def _tell(self, line: bytes, reason: Invalid) -> None:
        head = _TYPE.match(line)
        try:
            ref, version = name_of(line[head.end() :] if head else line, self._kind)
        except Invalid as nameless:
            logger.warning("event not readable", error=str(nameless))
            return
        if head and head[1] == b"DELETED":
            self._listener.removed(ref, version)
        else:
            why = Invalid(reason.reason, f"{ref}: {reason.message}")
            self._listener.changed(ref, why, version)


def _bookmark(version: str) -> bytes:
    """Say to kopf from where to go on."""
    metadata = {"resourceVersion": version}
    return json.dumps({"type": "BOOKMARK", "object": {"metadata": metadata}}).encode() + b"\n"


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Cut a stream into lines of any length; what follows the last line end is dropped."""
    kept: list[bytes] = []
    async for chunk in content.iter_chunked(_CHUNK):
        first, *others = chunk.split(b"\n")
        kept.append(first)
        if others:
            yield b"".join(kept)
            for line in others[:-1]:
                yield line
            kept = [others[-1]]
