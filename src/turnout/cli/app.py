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
