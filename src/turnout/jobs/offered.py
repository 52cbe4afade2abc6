"""What is asked of a server for tools, and a tool as any kind of server offers it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One server, and what is asked of it.

    Attributes:
        url: Where it is asked.
        headers: Headers that it is asked with, Secrets in them.
        wanted: Tools that the registry lists; others are only noted.
    """

    url: str
    headers: Mapping[str, str]
    wanted: AbstractSet[str]


@dataclass(frozen=True)
class Offered:
    """One tool.

    Attributes:
        schema: JSON Schema of its arguments.
        read_only: The server's hint that it changes nothing; None where it hints nothing.
        destructive: The server's hint that it may destroy something, likewise.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    read_only: bool | None = None
    destructive: bool | None = None
