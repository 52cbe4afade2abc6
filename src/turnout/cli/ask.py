"""The commands that ask for something: each writes one patch of a spec, and shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer
from rich.text import Text

from turnout.adapters.access import Access
from turnout.adapters.person import PersonCluster, sign_in
from turnout.cli import intents
from turnout.cli.agents import Record, read_record
from turnout.cli.exits import Exit
from turnout.cli.intents import Wish, kubectl_line
from turnout.cli.options import Acting, Asking
from turnout.cli.screen import safe, screen
from turnout.errors import Invalid, NotFound

Say = Callable[[Record, str, str | None], Wish]
"""Writes a wish of a rollout: its agent, who asks, and why."""


async def intent(access: Access, agent: str, asking: Asking, say: Say) -> Exit:
    """Ask something of a rollout, under the caller's own name."""
    async with sign_in(access) as cluster:
        record, by = await read_record(cluster, agent), await cluster.who()
        return await _ask(cluster, access, say(record, by, asking.reason), asking)


async def approve(access: Access, agent: str, step: str | None, asking: Asking) -> Exit:
    """Approve a step of the running rollout."""

    def say(record: Record, by: str, reason: str | None) -> Wish:
        return intents.approve(record, by, reason, step)

    return await intent(access, agent, asking, say)


async def undo(access: Access, agent: str, to: str | None, acting: Acting) -> Exit:
    """Go back to a version: the one before stable, where none is named."""
    async with sign_in(access) as cluster:
        record = await read_record(cluster, agent)
        if to is None and record.previous is None:
            raise NotFound(f"no version was stable before {record.stable}: name one with --to")
        wish = intents.undo(record, record.version(to or "previous"))
        return await _ask(cluster, access, wish, acting)


async def resume(access: Access, agent: str, acting: Acting) -> Exit:
    """Let a paused rollout go on: the pause goes, and with it the place for a reason."""
    async with sign_in(access) as cluster:
        wish = intents.resume(await read_record(cluster, agent))
        return await _ask(cluster, access, wish, acting)


async def unpin(access: Access, agent: str, acting: Acting) -> Exit:
    """Let the content decide again."""
    async with sign_in(access) as cluster:
        wish = intents.unpin(await read_record(cluster, agent))
        return await _ask(cluster, access, wish, acting)


async def _ask(cluster: PersonCluster, access: Access, wish: Wish, acting: Acting) -> Exit:
    console = screen()
    console.print(Text(safe(wish.does)), soft_wrap=True)
    if wish.asks and not (acting.yes or acting.dry_run):
        _confirm()
    await cluster.ask(wish.ref, wish.patch, dry_run=acting.dry_run)
    if acting.dry_run:
        console.print(Text("dry run: the API server would take it, nothing was changed"))
    console.print(Text(kubectl_line(wish, access), "dim"), soft_wrap=True)
    return Exit.DONE


def _confirm() -> None:
    """Let a person think again; a script must have thought already."""
    if not sys.stdin.isatty():
        raise Invalid("NotConfirmed", "this cannot be taken back: confirm it with --yes")
    typer.confirm("Go on?", abort=True)


__all__ = ["approve", "intent", "resume", "undo", "unpin"]
