"""Which addresses a Job may connect to: others' servers, never what trusts its own machine."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Final, TypeAlias

from turnout.errors import TaskFailed

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA: Final = frozenset(
    ipaddress.ip_address(address) for address in ("100.100.100.200", "fd00:ec2::254")
)
"""Metadata services of clouds that are not at a link-local address."""

_THIS_NETWORK: Final = ipaddress.IPv4Network("0.0.0.0/8")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class Borders:
    """The addresses that no task connects to, whatever name leads there.

    Private addresses are allowed: servers in the cluster are the common case.
    """

    def __init__(self, closed: Iterable[str] = ()) -> None:
        """Close some addresses besides those that are closed everywhere (the API server's)."""
        self._closed = METADATA | {ipaddress.ip_address(address) for address in closed}

    def admits(self, address: Address) -> bool:
        """Claim that a task may connect to an address."""
        return all(self._is_foreign(one) for one in (address, *_embedded(address)))

    def _is_foreign(self, address: Address) -> bool:
        special = (
            address.is_loopback,
            address.is_link_local,
            address.is_unspecified,
            address in _THIS_NETWORK,
            address.is_multicast,
            address.is_reserved and address not in _NAT64,
        )
        return not any(special) and address not in self._closed

    async def resolve(self, host: str, port: int) -> list[str]:
        """Resolve a host to the addresses to connect to.

        Raises:
            TaskFailed: It has none, or one of them is closed: such a name is not to be trusted.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
            )
        except (OSError, UnicodeError) as error:
            raise TaskFailed("Unreachable", f"the name {host} has no address") from error
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not all(self.admits(ipaddress.ip_address(one)) for one in addresses):
            message = f"{host} is at an address that is closed to tasks (loopback, link-local, ...)"
            raise TaskFailed("AddressRefused", message)
        return addresses


def _embedded(address: Address) -> Iterable[Address]:
    """Give the IPv4 addresses that an IPv6 address stands for."""
    if not isinstance(address, ipaddress.IPv6Address):
        return ()
    translated = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    found = (address.ipv4_mapped, address.sixtofour, translated, *(address.teredo or ()))
    return tuple(one for one in found if one is not None)
