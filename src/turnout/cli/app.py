"""The program: its commands, in the order in which help lists them."""

from typing import Final

import typer

from turnout.cli import reads, writes

app = typer.Typer(
    name="turnout",
    help="Versions and rollouts of AI agents on Kubernetes: what runs, what changed, and why.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

_ASKING: Final = "Ask for something (writes one patch of a spec, and shows it)"

for command in (
    reads.status,
    reads.why,
    reads.diff,
    reads.history,
    reads.wait,
    reads.lint,
    reads.simulate,
    reads.version,
):
    app.command()(command)
gate = typer.Typer(
    help="Try a gate before it is trusted.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
)
gate.command()(reads.replay)
gate.command()(reads.evals)
app.add_typer(gate, name="gate")

for command in (
    writes.abort,
    writes.pause,
    writes.resume,
    writes.promote,
    writes.approve,
    writes.retry,
    writes.acknowledge,
    writes.undo,
    writes.unpin,
):
    app.command(rich_help_panel=_ASKING)(command)
