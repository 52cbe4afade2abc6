"""The counters of a whole fleet's pods, on one page that a real Prometheus scrapes.

KWOK's pods answer nothing. What they would have counted is a function of time, so that nothing has
to run between two scrapes and the moment at which a pod turns bad is exact.
"""

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from typing_extensions import override

from tests.support.operator import free_port

FAILING: Final = 0.01
"""Share of requests that fail while all is well."""


@dataclass
class Pod:
    """What one pod counts.

    Attributes:
        rate: Requests a second.
        born: Unix seconds since when it counts.
        spoilt: Unix seconds from when every request fails; None while all is well.
    """

    rate: float
    born: float
    spoilt: float | None = None

    def counts(self, now: float) -> tuple[int, int]:
        """Give how many requests were good and bad; neither ever falls."""
        until = now if self.spoilt is None else min(self.spoilt, now)
        well, ill = max(0.0, until - self.born), max(0.0, now - until)
        return (
            int(self.rate * (1 - FAILING) * well),
            int(self.rate * (FAILING * well + ill)),
        )


class Counters:
    """The page, served from threads of its own.

    Attributes:
        address: Where it is scraped, host and port.
    """

    def __init__(self) -> None:
        self._pods: dict[tuple[str, str], Pod] = {}
        self.address = f"127.0.0.1:{free_port()}"

    def begin(self, namespace: str, name: str, rate: float) -> None:
        """Count for a pod from now on; for one that is known already nothing changes."""
        self._pods.setdefault((namespace, name), Pod(rate, time.time()))

    def spoil(self, namespace: str, name: str, at: float) -> None:
        """Let every request to a pod fail from a moment on, in unix seconds."""
        self._pods[namespace, name].spoilt = at

    def page(self, now: float) -> str:
        """Write the exposition as of now."""
        lines = ["# TYPE agent_tasks_total counter"]
        for (namespace, name), pod in list(self._pods.items()):
            good, bad = pod.counts(now)
            series = f'agent_tasks_total{{namespace="{namespace}",pod="{name}",outcome='
            lines += [f'{series}"success"}} {good}', f'{series}"failure"}} {bad}']
        return "\n".join(lines) + "\n"

    def __enter__(self) -> Self:
        counters = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = counters.page(time.time()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            @override
            def log_message(self, *arguments: Any) -> None:
                """Say nothing of each scrape."""

        host, _, port = self.address.rpartition(":")
        self._server = ThreadingHTTPServer((host, int(port)), Page)
        self._thread = threading.Thread(target=self._server.serve_forever, name="counters")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
