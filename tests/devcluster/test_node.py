"""A cluster with a node leaves this machine as it found it."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from devcluster import Cluster, cgroups, down, find, network, start_prometheus, stop_prometheus, up
from devcluster.kubectl import Kubectl, answers
from devcluster.paths import default_name
from devcluster.processes import wait_until
from devcluster.progress import silence

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

NAME = f"{default_name('node')}-life"
PAUSING = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "pausing"},
    "spec": {
        "containers": [
            {"name": "pause", "image": "turnout.dev/pause:dev", "imagePullPolicy": "Never"}
        ]
    },
}


def test_a_cluster_with_a_running_pod_goes_without_a_trace() -> None:
    before = _machine()
    made = up("node", NAME, silence())
    try:
        _run_a_pod(made)
        assert _machine() != before
        held = list(cgroups.Subtree(f"turnout-{network.ident(NAME)}").members())
        assert set(made.pids.values()) <= set(held)
        _prometheus_goes_and_comes(made)
        os.kill(made.pids["kubelet"], signal.SIGKILL)
        wait_until(lambda: not made.whole, "the kubelet's end", 10)
        made = up("node", NAME, silence())
        assert find(NAME) == made
        _run_a_pod(made)
    finally:
        down(NAME)
    wait_until(lambda: _machine() == before, "nothing to be left", 30)
    assert [pid for pid in held if _runs_in(pid)] == []
    assert _machine() == before


def test_what_ends_a_cluster_ends_nobody_else(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "120"])
    subtree = cgroups.Subtree("turnout-test")
    subtree.make()
    inside = subprocess.Popen(["sh", "-c", f"echo $$ > {subtree.procs_file} && exec sleep 120"])
    try:
        wait_until(lambda: inside.pid in subtree.members(), "the member", 10)
        subtree.end_all()
        assert inside.wait(timeout=10) == -signal.SIGKILL
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
        inside.kill()
        inside.wait()
        subtree.remove()
    assert not list(Path("/sys/fs/cgroup").glob("*/turnout-test"))


def _run_a_pod(made: Cluster) -> None:
    kubectl = Kubectl(made.kubectl, made.kubeconfig)
    kubectl.apply(json.dumps(PAUSING))
    assert kubectl.succeeds("wait", "--for=condition=Ready", "pod/pausing", "--timeout=60s")


def _prometheus_goes_and_comes(made: Cluster) -> None:
    ready = f"{made.prometheus_url}/-/ready"
    stop_prometheus(made)
    assert made.whole
    assert not answers(ready)
    start_prometheus(made)
    assert answers(ready)


def _machine() -> dict[str, list[str]]:
    """Return all of this machine that a cluster could have changed, but for other clusters'."""
    links = json.loads(subprocess.check_output(["ip", "-json", "link"], text=True))
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    ident = network.ident(NAME)
    return {
        "links": [link["ifname"] for link in links if ident in link["ifname"]],
        "tables": _lines("nft", "list", "tables", containing=ident),
        "routes": _lines("ip", "-4", "route", containing=ident),
        "mounts": [line for line in mounts if NAME in line],
        "cgroups": [str(d) for d in Path("/sys/fs/cgroup").glob(f"**/turnout-{ident}")],
    }


def _lines(*command: str, containing: str) -> list[str]:
    printed = subprocess.check_output(command, text=True)
    return [line for line in printed.splitlines() if containing in line]


def _runs_in(pid: int) -> bool:
    """Tell whether a process still runs in a namespace other than this machine's."""
    try:
        theirs = Path(f"/proc/{pid}/ns/net").readlink()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return theirs != Path("/proc/self/ns/net").readlink()
