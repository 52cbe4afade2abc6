"""The commands: their words, options and help. What they do is loaded when they are called."""

from collections.abc import Coroutine
from typing import Annotated, Any, Final

import typer

from turnout.cli.completion import agents, versions
from turnout.cli.exits import Exit
from turnout.cli.options import Access, Form, View, flat

app = typer.Typer(
    name="turnout",
    help="Versions and rollouts of AI agents on Kubernetes: what runs, what changed, and why.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

_SIDES: Final = 2

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
