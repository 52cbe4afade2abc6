"""Words that a shell may offer: names of agents and versions, as they are in the cluster."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

import typer

from turnout.adapters.access import Access
from turnout.errors import TurnoutError

PATIENCE: Final = 3.0
"""Seconds that a person is kept waiting for words at most."""

NO_FILES: Final = ":4"
"""Last line of what kubectl reads: do not offer names of files."""

FILES: Final = ":0"
"""Last line of what kubectl reads: offer whatever the shell has."""

Read = Callable[..., Coroutine[Any, Any, list[str]]]


def agents(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the names of agents."""
    return _offered(_agent_names, ctx, incomplete)


def versions(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the versions of the agent that was named."""
    return _offered(_version_names, ctx, incomplete)


def _offered(read: Read, ctx: typer.Context, incomplete: str) -> list[str]:
    """Read names; no cluster, no rights and no answer in time are no names."""
    import asyncio

    words = ctx.params
    access = Access(
        words.get("kubeconfig"), words.get("context"), words.get("namespace"), words.get("user")
    )
    try:
        found = asyncio.run(asyncio.wait_for(read(access, words.get("agent")), PATIENCE))
    except (TurnoutError, TimeoutError):
        return []
    return [one for one in found if one.startswith(incomplete)]


async def _agent_names(access: Access, _: str | None) -> list[str]:
    from turnout.adapters.documents import AGENT
    from turnout.adapters.person import sign_in

    async with sign_in(access) as cluster:
        return sorted(ref.name for ref in (await cluster.list(AGENT, cluster.namespace)).items)


async def _version_names(access: Access, agent: str | None) -> list[str]:
    from turnout.adapters.documents import AGENT_VERSION
    from turnout.adapters.person import sign_in
    from turnout.core.naming import AGENT_LABEL

    if agent is None:
        return []
    async with sign_in(access) as cluster:
        listing = await cluster.list(AGENT_VERSION, cluster.namespace, f"{AGENT_LABEL}={agent}")
    return [*sorted(ref.name for ref in listing.items), "stable", "candidate", "previous"]


def main() -> None:
    """Answer kubectl, which runs this as `kubectl_complete-turnout WORD...`.

    The last word is the one to complete. Each offer is a line; the last line tells the shell
    whether names of files make sense.
    """
    words = ["turnout", *(sys.argv[1:] or [""])]
    os.environ |= {
        "_TURNOUT_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(_quoted(one) for one in words),
        "COMP_CWORD": str(len(words) - 1),
    }
    from turnout.cli.main import main as run

    sys.argv = ["turnout"]
    answer = io.StringIO()
    with contextlib.redirect_stdout(answer), contextlib.suppress(SystemExit):
        run()
    offers = [line for line in answer.getvalue().splitlines() if line]
    sys.stdout.write("".join(f"{one}\n" for one in [*offers, _directive(words)]))


def _quoted(word: str) -> str:
    return "''" if not word else "'" + word.replace("'", "'\\''") + "'"


def _directive(words: list[str]) -> str:
    return FILES if words[1:2] == ["lint"] or words[-2] == "--kubeconfig" else NO_FILES
