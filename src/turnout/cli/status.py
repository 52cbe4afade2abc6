"""`turnout status`: one agent as a tree, or the fleet with the worst first."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from turnout.adapters.access import Access
from turnout.adapters.documents import AGENT, AGENT_POLICY, POD, Ref
from turnout.adapters.person import PersonCluster, sign_in
from turnout.adapters.pods import pod
from turnout.api.agent import Agent
from turnout.api.policy import AgentPolicy
from turnout.cli.agents import Record, listed, parsed, read_record
from turnout.cli.exits import Exit
from turnout.cli.fleet import fleet_document, fleet_table
from turnout.cli.options import Form
from turnout.cli.screen import emit, marks_of, screen
from turnout.cli.sight import Sight, sight_document
from turnout.cli.tree import tree_lines
from turnout.core.naming import AGENT_LABEL
from turnout.core.world import Pod
from turnout.errors import Forbidden, Invalid, NotFound, Transient

EVERY: Final = 1.0
"""Seconds between two looks of a watch."""

Look = Callable[[], Awaitable[RenderableType]]


async def status(access: Access, agent: str, form: Form, *, watch: bool) -> Exit:
    """Show one agent."""
    async with sign_in(access) as cluster:
        if form is not Form.TEXT:
            emit(form, "Status", sight_document(await _see(cluster, agent)))
            return Exit.DONE

        async def look() -> RenderableType:
            return Group(*tree_lines(await _see(cluster, agent)))

        await _show(look, watch=watch)
    return Exit.DONE


async def fleet(access: Access, form: Form, *, everywhere: bool, every: bool, watch: bool) -> Exit:
    """Show all agents of a namespace or of the cluster.

    Args:
        access: Which cluster, and as whom.
        form: How to answer.
        everywhere: All namespaces.
        every: Healthy agents by name too, and not only as a number.
        watch: Go on looking.
    """
    async with sign_in(access) as cluster:
        namespace = None if everywhere else cluster.namespace
        if form is not Form.TEXT:
            emit(form, "Fleet", fleet_document(await _agents(cluster, namespace)))
            return Exit.DONE

        async def look() -> RenderableType:
            found = await _agents(cluster, namespace)
            return fleet_table(found, _now(), marks_of(sys.stdout), namespace, every=every)

        await _show(look, watch=watch)
    return Exit.DONE


async def _agents(cluster: PersonCluster, namespace: str | None) -> list[Agent]:
    return listed(Agent, await cluster.list(AGENT, namespace))


async def _see(cluster: PersonCluster, agent: str) -> Sight:
    record, pods = await asyncio.gather(read_record(cluster, agent), _pods(cluster, agent))
    policy = await _policy(cluster, record)
    return Sight(record, pods, _now(), marks_of(sys.stdout), policy)


async def _policy(cluster: PersonCluster, record: Record) -> AgentPolicy | None:
    """Read the agent's policy; None where it has none or the reader may not see it."""
    reference = record.agent.spec.policy_ref
    if reference is None:
        return None
    try:
        found = await cluster.get(Ref(AGENT_POLICY, cluster.namespace, reference.name))
    except (NotFound, Forbidden):
        return None
    return parsed(AgentPolicy, found)


async def _pods(cluster: PersonCluster, agent: str) -> list[Pod] | None:
    """Read the agent's pods; None where the reader may not list pods."""
    try:
        listing = await cluster.list(POD, cluster.namespace, f"{AGENT_LABEL}={agent}")
    except Forbidden:
        return None
    known = (one for one in listing.items.values() if not isinstance(one, Invalid))
    return sorted(_versioned(map(pod, known)), key=lambda one: one.created)


def _versioned(pods: Iterable[Pod | None]) -> list[Pod]:
    return [one for one in pods if one is not None]


async def _show(look: Look, *, watch: bool) -> None:
    """Show what there is to see, once or until the person has seen enough."""
    console = screen()
    if not watch:
        console.print(await look())
    elif console.is_terminal:
        await _live(look, Live(console=console, auto_refresh=False))
    else:
        await _changing(look)


async def _live(look: Look, live: Live) -> None:
    """Show the present in the same place; an answer that fails leaves the last one standing."""
    last: RenderableType = Text()
    with live:
        while True:
            try:
                last = await look()
                live.update(last, refresh=True)
            except Transient as error:
                live.update(Group(last, Text(f"! {error}", "yellow")), refresh=True)
            await asyncio.sleep(EVERY)


async def _changing(look: Look) -> None:
    """Print each state that differs from the one before, for logs."""
    console, last = screen(), ""
    while True:
        with console.capture() as captured:
            console.print(await look())
        if captured.get() != last:
            last = captured.get()
            sys.stdout.write(last + "\n")
            sys.stdout.flush()
        await asyncio.sleep(EVERY)


def _now() -> datetime:
    return datetime.now(UTC)
