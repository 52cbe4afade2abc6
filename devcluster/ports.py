"""Free TCP ports on loopback."""

from __future__ import annotations

import random
import socket

from devcluster.errors import ClusterError

# Below the kernel's ephemeral range: a port stays ours while its program restarts, since no
# outgoing connection is ever given it.
_FIRST, _LAST = 20000, 32000
_TRIES = 200


def free_ports(count: int) -> list[int]:
    """Return distinct ports that nobody listens on now."""
    found: list[int] = []
    for candidate in random.sample(range(_FIRST, _LAST), _TRIES):
        if len(found) == count:
            return found
        if _is_free(candidate):
            found.append(candidate)
    raise ClusterError(f"no {count} free ports between {_FIRST} and {_LAST}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
