"""Tokens of pods, checked by keys as an API server publishes them."""

import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from turnout.adapters.ports import Badge
from turnout.adapters.tokens import KubeBadges
from turnout.errors import Invalid, Transient

ISSUER = "https://kubernetes.default.svc"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
POD = {"namespace": "demo", "pod": {"name": "tools-1", "uid": "uid-1"}}


class ApiServer:
    """Publishes its name as an issuer and its keys, as far as reads of paths show them."""

    def __init__(self, *kids: str) -> None:
        self.kids = list(kids)
        self.reads = 0
        self.body: bytes | None = None

    async def read(self, path: str) -> bytes:
        self.reads += 1
        if self.body is not None:
            return self.body
        if path == "/.well-known/openid-configuration":
            return json.dumps({"issuer": ISSUER}).encode()
        assert path == "/openid/v1/jwks"
        public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        keys = [public | {"kid": kid, "alg": "RS256", "use": "sig"} for kid in self.kids]
        return json.dumps({"keys": keys}).encode()


def token(
    key: Any = KEY, kid: str = "a", algorithm: str = "RS256", bound: Any = POD, **claims: Any
) -> str:
    now = int(time.time())
    said = {
        "iss": ISSUER,
        "aud": ["turnout.dev/report"],
        "sub": "system:serviceaccount:demo:default",
        "iat": now,
        "exp": now + 600,
        "kubernetes.io": bound,
    }
    chosen = {name: value for name, value in (said | claims).items() if value is not None}
    return jwt.encode(chosen, key, algorithm=algorithm, headers={"kid": kid})


async def test_a_token_of_a_pod_tells_whose_it_is() -> None:
    badges = KubeBadges(ApiServer("a").read)
    assert await badges.read(token()) == Badge("demo", "tools-1", "uid-1")


@pytest.mark.parametrize(
    "forged",
    [
        token(exp=1),
        token(iss="https://elsewhere"),
        token(aud=["https://kubernetes.default.svc"]),
        token(exp=None),
        token(sub=None),
        token(OTHER),
        token(kid="b"),
        token("x" * 64, algorithm="HS256"),
        token(None, algorithm="none"),
        token(bound=None),
        token(bound={"namespace": "demo"}),
        token(bound={"namespace": "demo", "pod": {"name": "x"}}),
        "",
        "a.b.c",
        "\u00e9.\u00e9.\u00e9",
        "x" * 9000,
    ],
    ids=[
        "expired", "issuer", "audience", "endless", "nobody", "another key", "unknown key", "HMAC",
        "unsigned", "no pod", "account only", "no uid", "empty", "no token", "no ASCII", "long",
    ],
)  # fmt: skip
async def test_any_other_token_is_refused_and_not_quoted(forged: str) -> None:
    with pytest.raises(Invalid, match="Unauthenticated: the token is refused: ") as refusal:
        await KubeBadges(ApiServer("a").read).read(forged)
    assert not forged or forged not in str(refusal.value)


async def test_keys_are_read_once_for_many_tokens() -> None:
    server = ApiServer("a")
    badges = KubeBadges(server.read)
    for _ in range(5):
        await badges.read(token())
    assert server.reads == 2


async def test_unknown_keys_cannot_make_the_operator_ask_over_and_over() -> None:
    server = ApiServer("a")
    badges = KubeBadges(server.read)
    for number in range(20):
        with pytest.raises(Invalid):
            await badges.read(token(kid=f"k{number}"))
    assert server.reads == 2


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b'{"issuer": "x", "keys": 7}'])
async def test_keys_that_cannot_be_read_refuse_nobody(body: bytes) -> None:
    server = ApiServer("a")
    server.body = body
    with pytest.raises(Transient):
        await KubeBadges(server.read).read(token())
