import socket
from pathlib import Path

from devcluster import ports


def test_ports_are_distinct_and_free() -> None:
    found = ports.free_ports(5)
    assert len(set(found)) == 5
    assert all(ports._is_free(port) for port in found)


def test_a_port_in_use_is_not_given() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not ports._is_free(taken.getsockname()[1])


def test_no_outgoing_connection_can_take_a_port_while_its_program_restarts() -> None:
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(ports.free_ports(50)) < first_ephemeral
