"""The Kubernetes API through the official client, on plain documents.

Of the client only its configuration and transport are used, never its models: they drop what
they do not know. All that can go wrong is translated here, once, into `turnout.errors`.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration
from typing_extensions import override

from turnout.adapters.decoding import decode, decode_list, skim
from turnout.adapters.documents import (
    FIELD_MANAGER,
    METADATA_LIST,
    Document,
    Kind,
    Ref,
    accepted_media,
    ref_of,
    version_of,
)
from turnout.adapters.ownership import joined
from turnout.adapters.ports import Annotations, Cluster, Listing, Manifest, Mark
from turnout.adapters.refusals import Body, Call, translate
from turnout.core.naming import MANAGED_BY
from turnout.errors import Conflict, Invalid, NotFound, Transient
from turnout.settings import Settings

Count: TypeAlias = Callable[[str, str, int], None]
"""Told of each request: verb, resource, status code (0 where no answer came)."""

Keep: TypeAlias = Callable[[Ref, Document | Invalid], Document | Invalid]
"""Makes of an item of a list what is kept of it."""

CALL_TIMEOUT: Final = timedelta(seconds=10)
CHUNK: Final = 100
"""Items of a list that are asked for at once: a page is decoded whole, to many times the
size of what is kept of it, and memory between what is kept is seldom given back."""

METADATA_CHUNK: Final = 500
"""The same of lists that hold metadata alone."""

_STRAIGHT: Final = {"trust_env": False}
"""No proxy and no .netrc of the environment, as where we watch: to look for them at each request
takes two turns through other threads."""

_METHODS: Final = {
    "get": "GET",
    "list": "GET",
    "create": "POST",
    "patch": "PATCH",
    "delete": "DELETE",
}


class _Expired(Transient):
    """The snapshot that a list is read from is gone: begin anew."""


async def connect(settings: Settings) -> ApiClient:
    """Return a client for the kubeconfig that is named, else for the pod's own account.

    Raises:
        Invalid: Neither can be used.
    """
    configuration = Configuration()
    try:
        if settings.kubeconfig:
            await config.load_kube_config(
                config_file=str(settings.kubeconfig),
                context=settings.context,
                client_configuration=configuration,
                persist_config=False,
            )
        else:
            config.load_incluster_config(client_configuration=configuration)
        configuration.client_session_kwargs = _STRAIGHT
        client = ApiClient(configuration)
    except (config.ConfigException, OSError) as error:
        raise Invalid("InvalidSettings", f"no access to a cluster: {error}") from error
    client.user_agent = "turnout"
    return client


async def headers_of(client: ApiClient) -> dict[str, str]:
    """Return the headers of a request: a pod's token is read again once a minute."""
    headers = dict(client.default_headers)
    await client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
    return headers


class KubeCluster(Cluster):
    """The Cluster port on a real API server."""

    def __init__(
        self,
        client: ApiClient,
        count: Count = lambda _verb, _resource, _code: None,
        keep: Keep = lambda _ref, item: item,
    ) -> None:
        """Read and write through a client.

        Args:
            client: The way to the API server.
            count: Told of each request.
            keep: Takes of an item of a list what is wanted, while others are still to come.
        """
        self._client = client
        self._count = count
        self._keep = keep

    @override
    async def get(self, ref: Ref) -> Document:
        return decode(await self._send(Call("get", ref.kind.resource, ref.path, str(ref))))

    @override
    async def list(self, kind: Kind, namespace: str | None, selector: str = "") -> Listing:
        try:
            return await self._list(kind, namespace, selector)
        except _Expired:
            return await self._list(kind, namespace, selector)

    @override
    async def marks(self, kind: Kind, namespace: str | None, selector: str = "") -> frozenset[Mark]:
        found, more = skim(await self._page(kind, namespace, selector, METADATA_LIST))
        while more:
            page = await self._page(kind, namespace, selector, METADATA_LIST, more)
            marks, more = skim(page)
            found |= marks
        return found

    @override
    async def create(self, manifest: Manifest) -> Document:
        ref = ref_of(manifest)
        path = ref.kind.path(ref.namespace)
        query = {"fieldManager": FIELD_MANAGER}
        call = Call("create", ref.kind.resource, path, str(ref), manifest, query)
        return decode(await self._send(call))

    @override
    async def apply(
        self,
        manifest: Manifest,
        version: str | None,
        *,
        whole: bool = True,
        dry_run: bool = False,
    ) -> Document:
        document = await self._apply(manifest, version, dry_run=dry_run)
        patch = joined(document) if whole and not dry_run else None
        if patch is None:
            return document
        with suppress(Conflict, Transient):  # the apply is done; the next one may join
            owned = await self._patch(ref_of(manifest), patch, "application/json-patch+json")
            document = await self._apply(manifest, version_of(owned), dry_run=False)
        return document

    @override
    async def write_status(self, ref: Ref, status: Manifest, version: str) -> Document:
        body = {"metadata": {"resourceVersion": version}, "status": status}
        return await self._patch(ref, body, "application/merge-patch+json", subresource="/status")

    @override
    async def annotate(self, ref: Ref, annotations: Annotations, version: str) -> Document:
        body = {"metadata": {"resourceVersion": version, "annotations": dict(annotations)}}
        return await self._patch(ref, body, "application/merge-patch+json", subresource="/status")

    @override
    async def release(self, ref: Ref, version: str) -> Document:
        labels = {MANAGED_BY: None}
        body = {"metadata": {"resourceVersion": version, "labels": labels}}
        return await self._patch(ref, body, "application/merge-patch+json")

    @override
    async def delete(self, ref: Ref, uid: str, version: str | None = None) -> None:
        preconditions = {"uid": uid} | ({"resourceVersion": version} if version else {})
        body = {"propagationPolicy": "Background", "preconditions": preconditions}
        try:
            await self._send(Call("delete", ref.kind.resource, ref.path, str(ref), body))
        except NotFound:
            return

    async def read_path(self, path: str) -> bytes:
        """Read a path of the API server that belongs to no object.

        Raises:
            Transient: There is no answer.
            Forbidden: The account may not read it.
        """
        return await self._send(Call("get", path, path, path, accept="*/*"))

    async def _apply(self, manifest: Manifest, version: str | None, *, dry_run: bool) -> Document:
        fence = {} if version is None else {"resourceVersion": version}
        body = {**manifest, "metadata": {**manifest["metadata"], **fence}}
        options = {"force": "true"} | ({"dryRun": "All"} if dry_run else {})
        apply = "application/apply-patch+yaml"
        return await self._patch(ref_of(manifest), body, apply, options)

    async def _patch(
        self,
        ref: Ref,
        body: Body,
        content_type: str,
        options: Mapping[str, str] | None = None,
        subresource: str = "",
    ) -> Document:
        query = {"fieldManager": FIELD_MANAGER, **(options or {})}
        resource, path = f"{ref.kind.resource}{subresource}", f"{ref.path}{subresource}"
        call = Call("patch", resource, path, str(ref), body, query, content_type)
        return decode(await self._send(call))

    async def _list(self, kind: Kind, namespace: str | None, selector: str) -> Listing:
        items: dict[Ref, Document | Invalid] = {}
        accept, more = accepted_media(kind, whole_list=True), ""
        while True:
            page = await self._page(kind, namespace, selector, accept, more)
            chunk, metadata = decode_list(page, kind)
            items.update((ref, self._keep(ref, item)) for ref, item in chunk.items())
            more = metadata.get("continue") or ""
            if not more:
                return Listing(items, metadata["resourceVersion"])

    async def _page(
        self, kind: Kind, namespace: str | None, selector: str, accept: str, more: str = ""
    ) -> bytes:
        """Read one page of a list: the first, or the one that follows."""
        limit = METADATA_CHUNK if accept == METADATA_LIST else CHUNK
        options = {"labelSelector": selector, "continue": more}
        query = {"limit": str(limit)} | {name: text for name, text in options.items() if text}
        path = kind.path(namespace)
        call = Call("list", kind.resource, path, kind.resource, query=query, accept=accept)
        return await self._send(call)

    async def _send(self, call: Call) -> bytes:
        """Return the body of a good answer."""
        code = 0
        try:
            async with asyncio.timeout(CALL_TIMEOUT.total_seconds()):
                code, headers, raw = await self._exchange(call)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            cause = type(error).__name__
            raise Transient(f"cannot {call.verb} {call.target}: no answer ({cause})") from error
        finally:
            self._count(call.verb, call.resource, code)
        if code < HTTPStatus.BAD_REQUEST:
            return raw
        if code == HTTPStatus.GONE:
            raise _Expired(f"cannot {call.verb} {call.target}: the snapshot expired")
        raise translate(call, code, headers, raw)

    async def _exchange(self, call: Call) -> tuple[int, Mapping[str, str], bytes]:
        headers = await headers_of(self._client)
        headers |= {"Accept": call.accept, "Content-Type": call.content_type}
        answer = await self._client.rest_client.request(
            _METHODS[call.verb],
            f"{self._client.configuration.host}{call.path}?{urlencode(call.query)}",
            headers=headers,
            body=call.body,
        )
        return answer.status, answer.headers, await answer.read()
