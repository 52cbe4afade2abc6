"""The commands that ask for something: each writes one patch of a spec, and shows it."""

from typing import Annotated

import typer

from turnout.cli.options import Access, Acting, Asking, flat
from turnout.cli.words import AgentName, end


@flat
def abort(agent: AgentName, *, asking: Asking, access: Access) -> None:
    """End the running rollout: its version is refused, stable gets all traffic.

    It cannot be taken back, and wins over every other wish; it asks before it acts.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask, intents

    end(ask.intent(access, agent, asking, intents.abort))


@flat
def pause(agent: AgentName, *, asking: Asking, access: Access) -> None:
    """Keep the running rollout where it is; traffic stays as it is.

    A rollback still happens by itself.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask, intents

    end(ask.intent(access, agent, asking, intents.pause))


@flat
def resume(agent: AgentName, *, acting: Acting, access: Access) -> None:
    """Let a paused rollout go on.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask

    end(ask.resume(access, agent, acting))


@flat
def retry(agent: AgentName, *, asking: Asking, access: Access) -> None:
    """Try a version again that was taken back, with new evidence.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask, intents

    end(ask.intent(access, agent, asking, intents.retry))


@flat
def promote(
    agent: AgentName,
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Skip all that is left, the gate included.")
    ] = False,
    asking: Asking,
    access: Access,
) -> None:
    """Count the step under way as done; with --full give all traffic to the candidate now.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask, intents

    end(ask.intent(access, agent, asking, intents.promote_fully if full else intents.promote))


@flat
def approve(
    agent: AgentName,
    step: Annotated[
        str | None, typer.Argument(help="The step; the first that waits for you without one.")
    ] = None,
    *,
    asking: Asking,
    access: Access,
) -> None:
    """Approve a step of the running rollout.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask

    end(ask.approve(access, agent, step, asking))


@flat
def acknowledge(agent: AgentName, *, asking: Asking, access: Access) -> None:
    """Let an agent switch by itself again: two switches that nobody asked for froze it.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask, intents

    end(ask.intent(access, agent, asking, intents.acknowledge))


@flat
def undo(
    agent: AgentName,
    *,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="VERSION", help="The version; the one before stable else."),
    ] = None,
    acting: Acting,
    access: Access,
) -> None:
    """Go back to an earlier version: the agent is pinned to it, whatever its content says now.

    It goes through the strategy as any other version, and asks before it acts.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask

    end(ask.undo(access, agent, to, acting))


@flat
def unpin(agent: AgentName, *, acting: Acting, access: Access) -> None:
    """Let an agent that was pinned follow its content again.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask

    end(ask.unpin(access, agent, acting))
