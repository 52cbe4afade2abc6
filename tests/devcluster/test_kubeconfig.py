import json
import stat
from pathlib import Path

from devcluster.kubeconfig import Credentials


def test_each_client_gets_a_token_of_its_own(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path, "https://127.0.0.1:1", tmp_path / "ca.crt")
    tokens = [_token(credentials.grant(client)) for client in ("admin", "kube-scheduler")]
    assert len(set(tokens)) == 2
    rows = credentials.token_file.read_text().splitlines()
    assert rows[0] == f'{tokens[0]},admin,admin,"system:masters"'
    assert rows[1] == f"{tokens[1]},system:kube-scheduler,system:kube-scheduler"


def test_only_the_owner_can_read_tokens(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path, "https://127.0.0.1:1", tmp_path / "ca.crt")
    for secret in (credentials.grant("admin"), credentials.token_file):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_the_kubelet_is_the_node_that_it_runs(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path, "https://127.0.0.1:1", tmp_path / "ca.crt")
    credentials.grant("kubelet", "system:node:node-0", "system:nodes")
    assert ',system:node:node-0,system:node:node-0,"system:nodes"' in _rows(credentials)


def _rows(credentials: Credentials) -> str:
    return credentials.token_file.read_text()


def _token(kubeconfig: Path) -> str:
    return str(json.loads(kubeconfig.read_text())["users"][0]["user"]["token"])
