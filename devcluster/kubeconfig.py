"""Who talks to the API server, and as whom."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

_GROUPS = {
    "admin": "system:masters",
    "kwok": "system:masters",
    "envoy-gateway": "system:masters",
}
_USERS = {
    "kube-controller-manager": "system:kube-controller-manager",
    "kube-scheduler": "system:kube-scheduler",
    "kube-proxy": "system:kube-proxy",
}


class Credentials:
    """The static tokens of a control plane; each client gets a kubeconfig with its own."""

    def __init__(self, directory: Path, server: str, ca_file: Path) -> None:
        self._directory = directory
        self._server = server
        self._ca_file = ca_file
        self._rows: list[str] = []

    @property
    def token_file(self) -> Path:
        """The file that the API server reads tokens from."""
        return self._directory / "tokens.csv"

    def grant(self, client: str, user: str = "", group: str = "") -> Path:
        """Give a client a token, as its usual Kubernetes user where it has one."""
        token = secrets.token_hex(16)
        user = user or _USERS.get(client, client)
        group = group or _GROUPS.get(client, "")
        self._rows.append(f'{token},{user},{user},"{group}"' if group else f"{token},{user},{user}")
        self.token_file.touch(mode=0o600)
        self.token_file.write_text("\n".join(self._rows) + "\n")
        return self._write(client, token)

    def path(self, client: str) -> Path:
        """Return a client's kubeconfig."""
        return self._directory / f"{client}.kubeconfig"

    def _write(self, client: str, token: str) -> Path:
        path = self.path(client)
        path.touch(mode=0o600)
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "devcluster",
                    "cluster": {
                        "server": self._server,
                        "certificate-authority": str(self._ca_file),
                    },
                }
            ],
            "users": [{"name": client, "user": {"token": token}}],
            "contexts": [
                {"name": "devcluster", "context": {"cluster": "devcluster", "user": client}}
            ],
            "current-context": "devcluster",
        }
        path.write_text(json.dumps(document, indent=1) + "\n")  # JSON is YAML
        return path
