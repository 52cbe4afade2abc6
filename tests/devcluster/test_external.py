from collections.abc import Callable
from pathlib import Path

import pytest

from devcluster import external, lifecycle, outages
from devcluster.cluster import Cluster
from devcluster.errors import ClusterError


def test_a_kubeconfig_that_merely_exists_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/ada/.kube/config")
    monkeypatch.delenv(external.KUBECONFIG, raising=False)
    assert external.named() is None


def test_a_named_cluster_comes_before_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(external.KUBECONFIG, "/nowhere/config")
    with pytest.raises(ClusterError, match="names /nowhere/config, which is not a file"):
        lifecycle.up("node")


@pytest.mark.parametrize(
    "breaking", [outages.restart_apiserver, outages.stop_prometheus, outages.start_prometheus]
)
def test_a_cluster_of_others_is_never_broken_on_purpose(
    breaking: Callable[[Cluster], None], tmp_path: Path
) -> None:
    theirs = Cluster(
        name="x", profile="node", engine="external", state_dir=tmp_path, kubeconfig=tmp_path,
        server="https://x", ca_file=tmp_path, kubectl="kubectl", helm="helm",
    )  # fmt: skip
    with pytest.raises(ClusterError, match="not ours to break"):
        breaking(theirs)
