"""The metrics providers of these tests: one that stays, and one that may be taken away."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from devcluster import serve_prometheus
from devcluster.prometheus import Prometheus
from tests.support.api import Api
from tests.support.traffic import Traffic

FRAGILE: Final = "fragile"


@dataclass(frozen=True)
class Providers:
    """Both Prometheus servers; each scrapes every second what the pods would have counted."""

    default: Prometheus
    fragile: Prometheus

    @property
    def settings(self) -> dict[str, Any]:
        """What an administrator tells the operator of them."""
        named = {"default": self.default, FRAGILE: self.fragile}
        return {name: {"url": one.url, "scrapeInterval": "1s"} for name, one in named.items()}


@contextmanager
def serve_providers(api: Api, directory: Path) -> Iterator[Providers]:
    """Serve both from traffic to all agents of a cluster."""
    one, other = directory / "default", directory / FRAGILE
    one.mkdir()
    other.mkdir()
    with (
        Traffic(api) as traffic,
        serve_prometheus(one, [traffic.address]) as default,
        serve_prometheus(other, [traffic.address]) as fragile,
    ):
        yield Providers(default, fragile)
