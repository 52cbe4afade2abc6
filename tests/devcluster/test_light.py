"""One light cluster's life, on real parts."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devcluster import ClusterError, down, external, find, processes, restart_apiserver, up
from devcluster.cluster import Cluster
from devcluster.kubectl import Kubectl
from devcluster.paths import default_name, state_dir
from devcluster.processes import wait_until
from devcluster.progress import silence

pytestmark = pytest.mark.light

NAME = f"{default_name('light')}-life"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Have a light cluster of this module's own."""
    yield up("light", NAME, silence())
    down(NAME)


@pytest.fixture
def kubectl(cluster: Cluster) -> Kubectl:
    """Return kubectl for the cluster as it is now (a test may have made it anew)."""
    return Kubectl(cluster.kubectl, find(cluster.name).kubeconfig)


def test_a_deployment_s_pods_become_ready(kubectl: Kubectl) -> None:
    kubectl.run("create", "deployment", "web", "--image=x", "--replicas=2")
    kubectl.run("wait", "--for=condition=Available", "deployment/web", "--timeout=30s")
    kubectl.run("delete", "deployment", "web")


def test_a_pod_is_as_ready_as_its_annotation_says(kubectl: Kubectl) -> None:
    kubectl.run("run", "lone", "--image=x")
    for annotation, status in (("ready=false", "False"), ("ready=true", "True")):
        kubectl.run("annotate", "--overwrite", "pod/lone", f"devcluster.turnout.dev/{annotation}")
        condition = f"--for=condition=Ready={status}"
        assert kubectl.succeeds("wait", condition, "pod/lone", "--timeout=20s")
    kubectl.run("delete", "pod", "lone")


def test_a_service_account_has_the_rights_that_it_was_given_and_no_more(kubectl: Kubectl) -> None:
    token = kubectl.run("create", "token", "default").strip()
    asks = ("auth", "can-i", "list", "pods", f"--token={token}")
    assert not kubectl.succeeds(*asks, "--as=system:serviceaccount:default:default")


def test_the_gateway_api_has_session_persistence(kubectl: Kubectl) -> None:
    explained = kubectl.run("explain", "httproute.spec.rules.sessionPersistence")
    assert "sessionName" in explained


def test_the_audit_log_tells_who_asked_and_what_was_answered(
    cluster: Cluster, kubectl: Kubectl
) -> None:
    kubectl.run("create", "configmap", "seen")
    kubectl.run("delete", "configmap", "seen")
    assert cluster.audit_log is not None
    events = [json.loads(line) for line in cluster.audit_log.read_text().splitlines()]
    [made] = [e for e in events if e["verb"] == "create" and _named(e, "configmaps", "seen")]
    assert made["responseStatus"]["code"] == 201
    assert made["userAgent"].startswith("kubectl/v1.")
    assert made["user"]["username"] == "admin"


def test_a_cluster_that_the_caller_names_is_described_as_it_is(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = find(NAME)
    monkeypatch.setenv(external.KUBECONFIG, str(ours.kubeconfig))
    monkeypatch.setenv("TURNOUT_CLUSTER_GATEWAY_URL", "http://gateway:1")
    theirs = up("node")
    assert (theirs.engine, theirs.server) == ("external", ours.server)
    assert theirs.ca_file.read_text() == ours.ca_file.read_text()
    assert (theirs.gateway_url, theirs.prometheus_url) == ("http://gateway:1", None)
    assert theirs.whole


def test_making_it_again_finds_it(cluster: Cluster) -> None:
    assert up("light", NAME, silence()) == find(NAME)


def test_callers_at_the_same_time_get_the_same_cluster(cluster: Cluster) -> None:
    got: list[Cluster] = []
    callers = [
        threading.Thread(target=lambda: got.append(up("light", NAME, silence()))) for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert got == [find(NAME)] * 3


def test_a_name_is_of_one_profile(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="has profile light, not node"):
        up("node", NAME, silence())


def test_the_api_server_comes_back_with_all_that_was_stored(
    cluster: Cluster, kubectl: Kubectl
) -> None:
    kubectl.run("create", "configmap", "kept")
    before = find(NAME).pids
    restart_apiserver(find(NAME))
    after = find(NAME).pids
    assert {name for name in before if before[name] != after[name]} == {"kube-apiserver"}
    assert kubectl.succeeds("get", "configmap", "kept")


def test_a_cluster_that_lost_a_program_is_made_anew(cluster: Cluster) -> None:
    lost = find(NAME)
    before = lost.pids
    os.kill(before["etcd"], signal.SIGKILL)
    wait_until(lambda: not lost.whole, "etcd's end", 10)
    with pytest.raises(ClusterError, match="no running cluster"):
        find(NAME)
    made = up("light", NAME, silence())
    assert made.whole
    assert not set(made.pids.values()) & set(before.values())


def test_nothing_is_left_of_a_cluster_that_was_taken_away() -> None:
    name = f"{NAME}-gone"
    made = up("light", name, silence())
    started = list(processes.recorded(made.state_dir).values())
    assert down(name)
    assert [daemon for daemon in started if daemon.alive] == []
    assert not state_dir(name).exists()
    assert not _mentioned_by_a_process(made.state_dir)


def _named(event: dict[str, Any], resource: str, name: str) -> bool:
    about = event.get("objectRef", {})
    return (about.get("resource"), about.get("name")) == (resource, name)


def _mentioned_by_a_process(directory: Path) -> list[str]:
    lines = [p.read_bytes().decode(errors="replace") for p in Path("/proc").glob("[0-9]*/cmdline")]
    return [line for line in lines if f"{directory}/" in line]
