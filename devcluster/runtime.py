"""containerd, runc and the pods' network: what the kubelet drives."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from devcluster import archive
from devcluster.errors import ClusterError
from devcluster.golang import binary
from devcluster.network import Network
from devcluster.paths import program_path
from devcluster.processes import Daemon, Site, wait_until

SOCKET = "/run/containerd/containerd.sock"
_PAUSE_IMAGE = "turnout.dev/pause:dev"
_READY_SECONDS = 30.0

# Without restrict_oom_score_adj runc dies where CAP_SYS_RESOURCE is missing: a negative score is
# refused to it.
_CONFIGURATION = """
version = 3
[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{pause}"
[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["/usr/lib/cni"]
conf_dir = "{cni}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "runc"
SystemdCgroup = false
"""


def start(site: Site, network: Network) -> Daemon:
    """Start containerd with the pods' network and the pause image, and wait until it serves."""
    directory = site.state_dir / "containerd"
    (directory / "cni").mkdir(parents=True)
    (directory / "cni" / "10-pods.conflist").write_text(json.dumps(_pod_network(network)))
    configuration = directory / "config.toml"
    configuration.write_text(_CONFIGURATION.format(pause=_PAUSE_IMAGE, cni=directory / "cni"))
    containerd = binary("containerd")
    # Its own directory first, or an older packaged shim would be found.
    path = f"{containerd.parent}:{program_path()}"
    daemon = site.start(
        "containerd", str(containerd), "--config", str(configuration), env={"PATH": path}
    )
    wait_until(lambda: _ctr(site, "version") is None, "containerd", _READY_SECONDS, [daemon])
    pause = directory / "pause.tar"
    archive.write_image(pause, _PAUSE_IMAGE, {"pause": binary("pause").read_bytes()}, ["/pause"])
    load(site, pause)
    return daemon


def load(site: Site, image: Path) -> None:
    """Import an image archive into the node."""
    failure = _ctr(site, "--namespace", "k8s.io", "images", "import", "--local", str(image))
    if failure is not None:
        raise ClusterError(f"{image.name} cannot be loaded: {failure}")


def _pod_network(network: Network) -> dict[str, Any]:
    """Describe a routed network: each pod hangs on its own link, so all traffic is seen by nft."""
    allocation: dict[str, Any] = {
        "type": "host-local",
        "ranges": [[{"subnet": network.pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugin = {"type": "ptp", "ipMasq": False, "ipam": allocation}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [plugin]}


def _ctr(site: Site, *arguments: str) -> str | None:
    """Run ctr inside; return what it complained of, or None when it succeeded."""
    done = subprocess.run(
        [*site.enter, str(binary("ctr")), "--address", SOCKET, *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else None
