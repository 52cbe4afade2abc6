"""What the environment says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Self

LIVE = "live"
MODES = (LIVE, "eval")
"""What this agent can work for. In an evaluation all that it does besides answering are calls of
its tools, and those that write lead to stubs there."""


class SettingError(Exception):
    """A variable has a value that cannot be used; the message names both."""


@dataclass(frozen=True)
class Settings:
    """Everything that is not content.

    Attributes:
        content_dir: Where the operator mounted the version's content.
        kill_dir: Where orders of a kill switch appear.
        version: Name of the version; it stands in every response's `x-agent-version`.
        model_url: An OpenAI-compatible endpoint, up to and without `/chat/completions`.
        model_key: What it asks for as a bearer token.
        shop_url: The order system that answers are checked against.
        price_input: US dollars for a million tokens read.
        price_output: US dollars for a million tokens written.
        host: The address that the agent and its metrics are served at; None for every one.
        port: The port there.
        notice: Seconds between SIGTERM and the end of listening, for gateways to look away.
        grace: Seconds that running tasks have from then on.
    """

    content_dir: Path
    kill_dir: Path
    version: str
    model_url: str
    shop_url: str
    model_key: str = field(default="none", repr=False)
    price_input: Decimal = Decimal(0)
    price_output: Decimal = Decimal(0)
    host: str | None = None
    port: int = 8080
    notice: float = 5.0
    grace: float = 45.0

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Self:
        """Read the environment.

        Raises:
            SettingError: A variable is missing or makes no sense.
        """
        mode = env.get("TURNOUT_MODE", LIVE)
        if mode not in MODES:
            raise SettingError(f"TURNOUT_MODE is {mode}: this agent works in {' and '.join(MODES)}")
        return cls(
            content_dir=Path(env.get("TURNOUT_CONTENT_DIR", "/etc/turnout")),
            kill_dir=Path(env.get("TURNOUT_KILL_DIR", "/etc/turnout-kill")),
            version=env.get("TURNOUT_VERSION", "unversioned"),
            model_url=_required(env, "OPENAI_BASE_URL"),
            model_key=env.get("OPENAI_API_KEY") or "none",
            shop_url=_required(env, "SHOP_URL"),
            price_input=_number(env, "MODEL_PRICE_INPUT_USD", "0"),
            price_output=_number(env, "MODEL_PRICE_OUTPUT_USD", "0"),
            host=env.get("HOST") or None,
            port=int(_number(env, "PORT", "8080")),
            notice=float(_number(env, "DRAIN_NOTICE_SECONDS", "5")),
            grace=float(_number(env, "DRAIN_GRACE_SECONDS", "45")),
        )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value.startswith(("http://", "https://")):
        raise SettingError(f"{name} must be an http or https URL, and is {value!r}")
    return value.rstrip("/")


def _number(env: Mapping[str, str], name: str, default: str) -> Decimal:
    value = env.get(name, default)
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise SettingError(f"{name} must be a number, and is {value!r}") from None
    if not number.is_finite() or number < 0:
        raise SettingError(f"{name} must not be negative or endless, and is {value!r}")
    return number
