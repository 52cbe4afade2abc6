"""Words that many commands take, and how a command ends."""

from collections.abc import Coroutine
from typing import Annotated, Any

import typer

from turnout.cli.completion import agents
from turnout.cli.exits import Exit
from turnout.cli.options import Form

AgentName = Annotated[
    str, typer.Argument(metavar="AGENT", help="Name of the agent.", autocompletion=agents)
]
Output = Annotated[
    Form, typer.Option("--output", "-o", help="How to answer; json and yaml are for programs.")
]


def end(work: Coroutine[Any, Any, Exit]) -> None:
    """Do the work and end with its exit code."""
    import asyncio

    raise typer.Exit(int(asyncio.run(work)))
