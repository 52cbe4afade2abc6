"""The agent's pods: which are ready, and which version had an address when."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.api import Document

VERSION_LABEL = "turnout.dev/version"


@dataclass(frozen=True)
class Tenancy:
    """From when on an address was a pod of this version."""

    address: str
    version: str
    since: float


class Pods:
    """What a watch of pods has told so far."""

    def __init__(self) -> None:
        self._ready: dict[str, str] = {}
        self._tenancies: list[Tenancy] = []
        self._guarded = ""
        self.fewest = 0

    def see(self, event: Document, now: float) -> None:
        """Take an event of the watch in."""
        pod = event["object"]
        name, version = pod["metadata"]["name"], pod["metadata"]["labels"][VERSION_LABEL]
        address = pod.get("status", {}).get("podIP", "")
        if address and self.version_at(address, now) != version:
            self._tenancies.append(Tenancy(address, version, now))
        if event["type"] != "DELETED" and _is_ready(pod):
            self._ready[name] = version
        else:
            self._ready.pop(name, None)
        self.fewest = min(self.fewest, self.ready(self._guarded))

    def ready(self, version: str) -> int:
        """Count the ready pods of a version."""
        return list(self._ready.values()).count(version)

    def guard(self, version: str) -> None:
        """Keep in `fewest` how few ready pods this version has from now on."""
        self._guarded = version
        self.fewest = self.ready(version)

    def version_at(self, address: str, moment: float) -> str | None:
        """Name the version that answered at an address, None where no pod of ours did."""
        known = (one for one in self._tenancies if one.address == address and one.since <= moment)
        last = max(known, key=lambda one: one.since, default=None)
        return None if last is None else last.version


def _is_ready(pod: Document) -> bool:
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions: list[Mapping[str, str]] = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
