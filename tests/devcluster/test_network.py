import ipaddress
from pathlib import Path

import pytest

from devcluster import network
from devcluster.errors import ClusterError
from devcluster.network import Network


def test_no_two_clusters_share_an_address() -> None:
    slots = [Network("x", slot) for slot in range(network._SLOTS)]
    named = [subnet for net in slots for subnet in (net.link, net.pods, net.services)]
    subnets = [ipaddress.ip_network(subnet) for subnet in named]
    assert len(set(subnets)) == len(subnets)
    assert all(a is b or not a.overlaps(b) for a in subnets for b in subnets)


def test_both_ends_of_the_link_are_in_its_subnet() -> None:
    one = Network("x", 3)
    ends = {ipaddress.ip_address(ip) for ip in (one.host_ip, one.node_ip)}
    assert ends == set(ipaddress.ip_network(one.link).hosts())


def test_names_in_the_kernel_follow_from_the_cluster_s_name_and_fit() -> None:
    long = Network(network.ident("a-cluster-of-a-very-long-name-in-some-checkout"), 0)
    assert long.ident != network.ident("another")
    assert len(f"{long.veth}n") <= 15


def test_a_subnet_that_the_machine_routes_already_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        network, "_routes", lambda: ["10.251.0.0/30", "10.253.1.0/24", "10.252.2.7"]
    )
    assert network._free_slot() == 3


def test_with_every_subnet_taken_the_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_routes", lambda: ["10.0.0.0/8"])
    with pytest.raises(ClusterError, match="in use on this machine"):
        network._free_slot()


@pytest.mark.parametrize("place", ["/var/lib/turnout/x", "/run/x", "/var/log/x"])
def test_a_cache_that_a_cluster_would_hide_is_refused(place: str) -> None:
    with pytest.raises(ClusterError, match="set TURNOUT_CACHE elsewhere"):
        network._refuse_hidden(Path(place))


def test_pods_never_get_a_name_server_on_this_machine_s_loopback() -> None:
    for server in network.upstream_resolvers():
        assert not ipaddress.ip_address(server).is_loopback
