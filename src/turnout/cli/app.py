"""The commands: their words, options and help. What they do is loaded when they are called."""

from collections.abc import Coroutine
from typing import Annotated, Any, Final

import typer

from turnout.cli.completion import agents, versions
from turnout.cli.exits import Exit
from turnout.cli.options import Access, Acting, Asking, Form, View, flat

app = typer.Typer(
    name="turnout",
    help="Versions and rollouts of AI agents on Kubernetes: what runs, what changed, and why.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

_SIDES: Final = 2
_ASKING: Final = "Ask for something (writes one patch of a spec, and shows it)"

AgentName = Annotated[
    str, typer.Argument(metavar="AGENT", help="Name of the agent.", autocompletion=agents)
]
Output = Annotated[
    Form, typer.Option("--output", "-o", help="How to answer; json and yaml are for programs.")
]


def _end(work: Coroutine[Any, Any, Exit]) -> None:
    """Do the work and end with its exit code."""
    import asyncio

    raise typer.Exit(int(asyncio.run(work)))


@app.command()
@flat
def diff(
    agent: AgentName,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VERSION] [VERSION]", autocompletion=versions),
    ] = None,
    *,
    view: Annotated[View, typer.Option(help="How a changed prompt is shown.")] = View.LINES,
    output: Output = Form.TEXT,
    access: Access,
) -> None:
    """Show what differs between two versions: prompts, tools, policy, model and pods.

    Without a version it compares stable with the candidate, or with what is wanted; with one,
    stable with that one. A version is its name, the first digits of its digest, stable,
    candidate, desired, previous, or a rollout's number as r14.

    Exit codes: 0 the same, 1 different, 2 failed.
    """
    from turnout.cli import diff as verb

    chosen = tuple(words or ())
    if len(chosen) > _SIDES:
        raise typer.BadParameter("at most two versions can be compared")
    _end(verb.diff(access, agent, chosen, output, view))


@app.command()
@flat
def status(
    agent: Annotated[
        str | None,
        typer.Argument(
            metavar="AGENT",
            help="Name of the agent; without one all agents, the worst first.",
            autocompletion=agents,
        ),
    ] = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on looking.")] = False,
    everywhere: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="Agents of all namespaces.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Healthy agents by name, not as a number.")
    ] = False,
    output: Output = Form.TEXT,
    access: Access,
) -> None:
    """Show where an agent stands: versions, traffic, pods, gate, steps, and why.

    Pods that are ready are counted, those that are not are named. Reading needs the role view.

    Exit codes: 0 shown, 2 failed.
    """
    from turnout.cli import status as verb

    if agent is None:
        _end(verb.fleet(access, output, everywhere=everywhere, every=every, watch=watch))
    else:
        _end(verb.status(access, agent, output, watch=watch))


@app.command()
@flat
def history(agent: AgentName, *, output: Output = Form.TEXT, access: Access) -> None:
    """Show an agent's rollouts, newest first: what changed, the verdict, its cause, and by whom.

    Exit codes: 0 shown, 2 failed.
    """
    from turnout.cli import history as verb

    _end(verb.history(access, agent, output))


@app.command(rich_help_panel=_ASKING)
@flat
def abort(agent: AgentName, *, asking: Asking, access: Access) -> None:
    """End the running rollout: its version is refused, stable gets all traffic.

    It cannot be taken back, and wins over every other wish; it asks before it acts.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask, intents

    _end(ask.intent(access, agent, asking, intents.abort))


@app.command(rich_help_panel=_ASKING)
@flat
def pause(agent: AgentName, *, asking: Asking, access: Access) -> None:
    """Keep the running rollout where it is; traffic stays as it is.

    A rollback still happens by itself.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask, intents

    _end(ask.intent(access, agent, asking, intents.pause))


@app.command(rich_help_panel=_ASKING)
@flat
def resume(agent: AgentName, *, acting: Acting, access: Access) -> None:
    """Let a paused rollout go on.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask

    _end(ask.resume(access, agent, acting))


@app.command(rich_help_panel=_ASKING)
@flat
def retry(agent: AgentName, *, asking: Asking, access: Access) -> None:
    """Try a version again that was taken back, with new evidence.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask, intents

    _end(ask.intent(access, agent, asking, intents.retry))


@app.command(rich_help_panel=_ASKING)
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

    _end(ask.intent(access, agent, asking, intents.promote_fully if full else intents.promote))


@app.command(rich_help_panel=_ASKING)
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

    _end(ask.approve(access, agent, step, asking))


@app.command(rich_help_panel=_ASKING)
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

    _end(ask.undo(access, agent, to, acting))


@app.command(rich_help_panel=_ASKING)
@flat
def unpin(agent: AgentName, *, acting: Acting, access: Access) -> None:
    """Let an agent that was pinned follow its content again.

    Exit codes: 0 asked, 2 failed.
    """
    from turnout.cli import ask

    _end(ask.unpin(access, agent, acting))


@app.command()
def version() -> None:
    """Print this program's version."""
    from turnout import __version__

    typer.echo(__version__)
