"""A network and a mount namespace for one cluster with a node, tied to this machine by a veth.

kube-proxy's nftables table has one name for all, so each cluster gets a network of its own. All
mounts happen in the cluster's mount namespace; both namespaces go when their last process ends,
and take bridges, rules and mounts with them. Left to remove are one table and one link.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import os
import subprocess
from pathlib import Path

from devcluster.cgroups import Subtree
from devcluster.errors import ClusterError
from devcluster.locks import alone
from devcluster.paths import cache, program_path, short_hash, state_dir
from devcluster.processes import Daemon, Site, recorded, wait_until

_SLOTS = 64
_IP_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
_HIDDEN = (Path("/run"), Path("/var/lib"), Path("/var/log"))

# In the new namespaces: paths that container tools have written into them become private, and
# forwarding is on. /certs is the one place where Envoy Gateway looks for its webhook's key.
_HOLD = """
set -e
mount --make-rshared /
mount -t tmpfs tmpfs /run
mkdir -p "$1/var/lib" "$1/var/log" "$1/certs"
mount --bind "$1/var/lib" /var/lib
mount --bind "$1/var/log" /var/log
mount --bind "$1/certs" /certs
ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
touch "$1/held"
exec sleep infinity
"""
_CERTS = Path("/certs")
_HOLDER = "namespaces"
_ENTERED = "entered"


_NAT = """
table ip {table} {{
  chain leaving {{
    type nat hook postrouting priority srcnat;
    ip saddr {{ {sources} }} oifname != "{veth}" masquerade
  }}
}}
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Network:
    """The names and addresses of one cluster's network."""

    ident: str
    slot: int

    @property
    def host_ip(self) -> str:
        """This machine as the cluster sees it."""
        return f"10.251.{self.slot}.1"

    @property
    def node_ip(self) -> str:
        """The node as this machine and the pods see it."""
        return f"10.251.{self.slot}.2"

    @property
    def link(self) -> str:
        """The subnet of the veth pair."""
        return f"10.251.{self.slot}.0/30"

    @property
    def pods(self) -> str:
        """The subnet of pod addresses."""
        return f"10.252.{self.slot}.0/24"

    @property
    def services(self) -> str:
        """The subnet of ClusterIPs."""
        return f"10.253.{self.slot}.0/24"

    @property
    def veth(self) -> str:
        """This machine's end of the link; interface names have at most 15 characters."""
        return f"trn-{self.ident}"

    @property
    def table(self) -> str:
        """This machine's nftables table for addresses that leave it."""
        return f"turnout-{self.ident}"


def ident(name: str) -> str:
    """Return the short name under which the kernel knows a cluster."""
    return short_hash(name, 8)


def subtree(name: str) -> Subtree:
    """Return the cgroups of the cluster of this name."""
    return Subtree(f"turnout-{ident(name)}")


def enter_new(name: str) -> tuple[Site, Network]:
    """Make the namespaces and the link; return how to start programs inside."""
    _refuse_hidden(state_dir(name))
    (state_dir(name) / _ENTERED).touch()
    cgroups = subtree(name)
    cgroups.make()
    with alone("network"):
        network = Network(ident(name), _free_slot())
        _prepare_machine()
        holder = _start_holder(Site(state_dir(name), procs_file=cgroups.procs_file))
        _connect(network, holder.pid, _entry(holder))
    _masquerade(network)
    return inside(name), network


def was_entered(name: str) -> bool:
    """Tell whether a cluster may have left something in the kernel."""
    return (state_dir(name) / _ENTERED).exists()


def inside(name: str) -> Site:
    """Return how to run programs inside a running cluster."""
    directory = state_dir(name)
    holder = recorded(directory)[_HOLDER]
    return Site(directory, _entry(holder), subtree(name).procs_file)


def leave(name: str) -> None:
    """Take away all that `enter_new` and the programs inside have left in the kernel."""
    cgroups = subtree(name)
    cgroups.end_all()
    gone = Network(ident(name), 0)
    _call("ip", "link", "delete", gone.veth)
    _call("nft", "delete", "table", "ip", gone.table)
    cgroups.remove()
    with alone("network"):
        if not _links():
            _restore_machine()


def upstream_resolvers() -> list[str]:
    """Return name servers that a program outside this machine's loopback can reach."""
    for file in (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf")):
        lines = file.read_text().split("\n") if file.exists() else []
        servers = [line.split()[1] for line in lines if line.startswith("nameserver ")]
        reachable = [s for s in servers if not ipaddress.ip_address(s).is_loopback]
        if reachable:
            return reachable
    return []


def _start_holder(site: Site) -> Daemon:
    holder = site.start(
        _HOLDER, "unshare", "--mount", "--net", "--propagation", "private", "--",
        "sh", "-c", _HOLD, "hold", str(site.state_dir),
    )  # fmt: skip
    wait_until((site.state_dir / "held").exists, "the cluster's namespaces", 10, [holder])
    return holder


def _entry(holder: Daemon) -> tuple[str, ...]:
    return ("nsenter", "--target", str(holder.pid), "--mount", "--net", "--")


def _connect(network: Network, holder: int, enter: tuple[str, ...]) -> None:
    peer = f"{network.veth}n"
    _run("ip", "link", "add", network.veth, "type", "veth", "peer", "name", peer)
    _run("ip", "link", "set", peer, "netns", str(holder))
    _run("ip", "address", "add", f"{network.host_ip}/30", "dev", network.veth)
    _run("ip", "link", "set", network.veth, "up")
    _run(*enter, "ip", "link", "set", peer, "name", "eth0")
    _run(*enter, "ip", "address", "add", f"{network.node_ip}/30", "dev", "eth0")
    _run(*enter, "ip", "link", "set", "eth0", "up")
    _run(*enter, "ip", "route", "add", "default", "via", network.host_ip)
    for subnet in (network.pods, network.services):
        _run("ip", "route", "add", subnet, "via", network.node_ip)


def _masquerade(network: Network) -> None:
    """Let pods reach what this machine reaches (a model's endpoint), under its address."""
    rules = _NAT.format(
        table=network.table, veth=network.veth, sources=f"{network.link}, {network.pods}"
    )
    _run("nft", rules)


def _free_slot() -> int:
    """Return the first slot whose three subnets meet no route of this machine."""
    taken = [ipaddress.ip_network(r, strict=False) for r in _routes()]
    for slot in range(_SLOTS):
        network = Network("", slot)
        wanted = [ipaddress.ip_network(s) for s in (network.link, network.pods, network.services)]
        if not any(w.overlaps(t) for w in wanted for t in taken):
            return slot
    raise ClusterError(f"all of {_SLOTS} subnets below 10.251.0.0/16 are in use on this machine")


def _routes() -> list[str]:
    listed = json.loads(_run("ip", "-json", "-4", "route", "show", "table", "all"))
    return [route["dst"] for route in listed if route["dst"] != "default"]


def _links() -> list[str]:
    """Return the links of all clusters on this machine."""
    return [link["ifname"] for link in json.loads(_run("ip", "-json", "link"))
            if link.get("ifname", "").startswith("trn-")]  # fmt: skip


def _prepare_machine() -> None:
    """Change the two things that cannot be had inside, and note what they were."""
    if not _CERTS.exists():
        _changed("certs").touch()
        _CERTS.mkdir()
    if _IP_FORWARD.read_text().strip() == "0":
        _changed("ip_forward").touch()
        _IP_FORWARD.write_text("1")


def _restore_machine() -> None:
    """With the last cluster gone, put back what `_prepare_machine` changed."""
    if _changed("certs").exists():
        _CERTS.rmdir()
        _changed("certs").unlink()
    if _changed("ip_forward").exists():
        _IP_FORWARD.write_text("0")
        _changed("ip_forward").unlink()


def _changed(what: str) -> Path:
    return cache() / f"{what}-changed"


def _refuse_hidden(directory: Path) -> None:
    if any(directory.is_relative_to(hidden) for hidden in _HIDDEN):
        raise ClusterError(f"{directory} is hidden inside a cluster: set TURNOUT_CACHE elsewhere")


def _run(*command: str) -> str:
    done = _call(*command)
    if done.returncode:
        raise ClusterError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _call(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": program_path()}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
