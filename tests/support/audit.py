"""The API server's audit log: what was asked of it, by whom, and what it answered."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from devcluster import Cluster

WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_CREDENTIAL: Final = "authentication.kubernetes.io/credential-id"


@dataclass(frozen=True)
class Request:
    """One request that was answered, or a watch that began.

    Attributes:
        at: When it was received, as RFC 3339 text: sorts by time.
        credential: The token that it came with.
        resource: As a role names it, with its subresource: "agents.turnout.dev/status".
    """

    at: str
    user: str
    credential: str
    verb: str
    resource: str
    namespace: str
    name: str
    code: int

    @property
    def writes(self) -> bool:
        return self.verb in WRITES

    @property
    def keeps_the_lease(self) -> bool:
        return self.resource == "leases.coordination.k8s.io"


class AuditLog:
    """The log from the moment at which this was made."""

    def __init__(self, cluster: Cluster) -> None:
        assert cluster.audit_log is not None, f"cluster {cluster.name} keeps no audit log"
        self._path = cluster.audit_log
        self._start = self._path.stat().st_size

    def requests(self, **wanted: object) -> list[Request]:
        """Return the requests so far, only those whose attributes are as given."""
        return [
            one
            for one in self._all()
            if all(getattr(one, key) == value for key, value in wanted.items())
        ]

    def _all(self) -> Iterator[Request]:
        with self._path.open("rb") as log:
            log.seek(self._start)
            for line in log:
                if line.endswith(b"\n"):
                    entry = json.loads(line)
                    last = "ResponseStarted" if entry["verb"] == "watch" else "ResponseComplete"
                    if entry["stage"] == last:
                        yield _request(entry)


def _request(entry: dict[str, Any]) -> Request:
    of, user = entry.get("objectRef") or {}, entry["user"]
    group = f".{of['apiGroup']}" if of.get("apiGroup") else ""
    subresource = f"/{of['subresource']}" if of.get("subresource") else ""
    return Request(
        at=entry["requestReceivedTimestamp"],
        user=user.get("username", ""),
        credential=((user.get("extra") or {}).get(_CREDENTIAL) or [""])[0],
        verb=entry["verb"],
        resource=f"{of.get('resource', '')}{group}{subresource}",
        namespace=of.get("namespace", ""),
        name=of.get("name", ""),
        code=(entry.get("responseStatus") or {}).get("code", 0),
    )


def credential_of(kubeconfig: Path) -> str:
    """Return how the audit log names the ServiceAccount token of a kubeconfig."""
    token = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]["token"]
    claims = token.split(".")[1]
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return f"JTI={decoded['jti']}"
