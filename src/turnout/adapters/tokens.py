"""Tokens of pods, checked by the API server's own public keys: no TokenReview, no further right.

What checks signatures is loaded with the first token: it takes 10 MiB, and many operators are never
sent one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from turnout.adapters.ports import Badge, Badges
from turnout.core.tasks import AUDIENCE
from turnout.errors import Invalid, Transient

if TYPE_CHECKING:
    from jwt import PyJWK

LONGEST: Final = 8192
"""Characters of a token; the API server's own are about a thousand."""

_KEYS: Final = "/openid/v1/jwks"
_CONFIGURATION: Final = "/.well-known/openid-configuration"
_FRESH: Final = 600.0  # seconds: the keys change with the API server's configuration
_PATIENCE: Final = 5.0  # seconds between two reads of the keys, whatever tokens arrive
_REQUIRED: Final = ["exp", "iat", "iss", "aud", "sub"]

Read = Callable[[str], Awaitable[bytes]]
"""Reads a path of the API server; raises Transient and Forbidden."""


@dataclass(frozen=True)
class _Keys:
    issuer: str
    keys: Mapping[str, PyJWK]
    read_at: float


class KubeBadges(Badges):
    """Reads tokens that the API server signed.

    Its keys and its name as an issuer are published under well-known paths that every
    ServiceAccount may read by default.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._keys: _Keys | None = None
        self._reading = asyncio.Lock()

    @override
    async def read(self, token: str) -> Badge:
        import jwt

        if len(token) > LONGEST:
            raise _refused("it is too long")
        try:
            number = str(jwt.get_unverified_header(token).get("kid"))
            known = await self._known(number)
            claims = _checked(token, known.keys.get(number), known.issuer)
        except (jwt.PyJWTError, UnicodeError) as error:
            raise _refused(type(error).__name__) from error
        return _badge(claims)

    async def _known(self, number: str) -> _Keys:
        """Give the keys, read again where they are old or lack the one that is asked for."""
        async with self._reading:
            known, now = self._keys, asyncio.get_running_loop().time()
            if known is not None and _is_usable(known, number, now):
                return known
            self._keys = _Keys(*await self._published(), now)
            return self._keys

    async def _published(self) -> tuple[str, dict[str, PyJWK]]:
        import jwt

        try:
            issuer = str(json.loads(await self._read(_CONFIGURATION))["issuer"])
            found = jwt.PyJWKSet.from_dict(json.loads(await self._read(_KEYS)))
        except (ValueError, KeyError, TypeError, jwt.PyJWTError, Invalid) as error:
            raise Transient("the API server's keys for tokens cannot be read") from error
        return issuer, {str(one.key_id): one for one in found.keys}


def _is_usable(known: _Keys, number: str, now: float) -> bool:
    age = now - known.read_at
    return age < (_FRESH if number in known.keys else _PATIENCE)


def _checked(token: str, key: PyJWK | None, issuer: str) -> Mapping[str, Any]:
    """Check signature, issuer, audience and time; the algorithm is the key's, not the token's."""
    import jwt

    if key is None:
        raise jwt.InvalidKeyError
    claims: Mapping[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[key.algorithm_name],
        audience=AUDIENCE,
        issuer=issuer,
        options={"require": _REQUIRED},
    )
    return claims


def _badge(claims: Mapping[str, Any]) -> Badge:
    try:
        bound = claims["kubernetes.io"]
        pod = bound["pod"]
        return Badge(str(bound["namespace"]), str(pod["name"]), str(pod["uid"]))
    except (KeyError, TypeError) as error:
        raise _refused("it is not bound to a pod") from error


def _refused(why: str) -> Invalid:
    return Invalid("Unauthenticated", f"the token is refused: {why}")
