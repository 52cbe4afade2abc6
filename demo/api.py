"""Watches of the API server, through `kubectl proxy` on a socket of our own.

So the demo needs no credentials, and sees what anybody with kubectl could see.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, UnixConnector

from demo.errors import DemoError
from devcluster import Cluster

Document = Mapping[str, Any]

_TABLE: Final = "application/json;as=Table;v=v1;g=meta.k8s.io"
"""What kubectl asks for: the server makes the rows that kubectl prints."""

_START_LIMIT: Final = 10.0
_LONGEST_LINE: Final = 8 * 1024 * 1024
_PAUSE: Final = 0.5


class Api:
    """The API server."""

    def __init__(self, http: ClientSession) -> None:
        self._http = http

    async def watch(
        self, path: str, *, table: bool = False, **parameters: str
    ) -> AsyncIterator[Document]:
        """Yield the events of a watch: what is there, then every change; for ever.

        A watch that breaks off is begun again, so what is there is told again.
        """
        headers = {"Accept": _TABLE} if table else {}
        query = {"watch": "true", **parameters}
        while True:
            try:
                async with self._http.get(path, params=query, headers=headers) as answer:
                    answer.raise_for_status()
                    async for line in answer.content:
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            break
                        yield event
            except ClientError:
                pass  # the pause below is for the server to come back
            await asyncio.sleep(_PAUSE)


@asynccontextmanager
async def connected(cluster: Cluster) -> AsyncIterator[Api]:
    """Connect to the cluster's API server for as long as the block runs."""
    with TemporaryDirectory() as directory:
        socket = Path(directory) / "api"
        proxy = await asyncio.create_subprocess_exec(
            cluster.kubectl,
            f"--kubeconfig={cluster.kubeconfig}",
            "proxy",
            f"--unix-socket={socket}",
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            await _listens(proxy)
            async with ClientSession(
                "http://localhost",
                connector=UnixConnector(str(socket)),
                timeout=ClientTimeout(total=None),
                read_bufsize=_LONGEST_LINE,
            ) as http:
                yield Api(http)
        finally:
            if proxy.returncode is None:
                proxy.terminate()
            await proxy.wait()


async def _listens(proxy: asyncio.subprocess.Process) -> None:
    """Wait for the one line that kubectl prints when it serves."""
    said = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(_START_LIMIT):
            said = await proxy.stdout.readline() if proxy.stdout else b""
    if not said:
        raise DemoError("kubectl proxy did not start")
