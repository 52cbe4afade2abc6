"""The commands that show: their options and help. What they do is loaded when they are called."""

from typing import Annotated, Final

import typer

from turnout.cli.completion import agents, versions
from turnout.cli.options import Access, Form, Goal, Plan, Samples, Terms, Told, View, flat
from turnout.cli.words import AgentName, Output, end
from turnout.evals.results.formats import Format

_SIDES: Final = 2


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
    end(verb.diff(access, agent, chosen, output, view))


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
        end(verb.fleet(access, output, everywhere=everywhere, every=every, watch=watch))
    else:
        end(verb.status(access, agent, output, watch=watch))


@flat
def history(agent: AgentName, *, output: Output = Form.TEXT, access: Access) -> None:
    """Show an agent's rollouts, newest first: what changed, the verdict, its cause, and by whom.

    Exit codes: 0 shown, 2 failed.
    """
    from turnout.cli import history as verb

    end(verb.history(access, agent, output))


@flat
def why(
    agent: AgentName,
    rollout: Annotated[
        str | None, typer.Argument(help="A rollout, as r14; what explains the present without one.")
    ] = None,
    *,
    output: Output = Form.TEXT,
    access: Access,
) -> None:
    """Tell why an agent is where it is, or why a rollout ended: cause, rule, numbers, changes.

    It reads the cluster only, never a metrics provider: every number stands in the rollout.

    Exit codes: 0 told, 2 failed.
    """
    from turnout.cli import account as verb

    end(verb.account(access, agent, rollout, output))


@flat
def wait(
    agent: AgentName,
    *,
    goal: Annotated[
        Goal,
        typer.Option("--for", help="promoted, or settled: promoted or refused, whichever."),
    ] = Goal.PROMOTED,
    version: Annotated[
        str | None,
        typer.Option(
            help="The version; else what the agent's content makes, edits included.",
            autocompletion=versions,
        ),
    ] = None,
    timeout: Annotated[str, typer.Option(metavar="DURATION", help="Longest wait.")] = "1h",
    output: Output = Form.TEXT,
    access: Access,
) -> None:
    """Wait until a change is out, or will not be: for CI, right after an apply.

    It waits for the operator to see every edit of the agent and of what it names first. Held is
    told at the timeout only: a rollout that is held goes on by itself once it can.

    Exit codes: 0 promoted, 2 failed, 3 refused, 4 still held or waiting for a person, 5 still
    under way.
    """
    from turnout.cli import wait as verb

    end(verb.wait(access, agent, verb.Patience(goal, version, timeout), output))


def lint(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Files, directories, or - for standard input."),
    ],
    *,
    output: Output = Form.TEXT,
) -> None:
    """Check manifests without a cluster, as the API server and the operator would.

    Schemas and their rules, templates, JSON Schema and CEL in strings, and objects that contradict
    each other where they are given together. Kinds of other groups are passed over, and what is
    referred to but not given is named.

    Exit codes: 0 fine, 1 something is wrong, 2 a file cannot be read.
    """
    from turnout.cli.lint import command as verb

    raise typer.Exit(int(verb.lint(files, output)))


Looks = Annotated[
    str,
    typer.Argument(
        metavar="LOOKS|AGENT",
        help="File with a look a line, or - for stdin; an agent's name with --from-prometheus.",
    ),
]
GateFile = Annotated[
    str | None, typer.Option("--config", "-c", metavar="FILE", help="The gate block, as YAML.")
]


@flat
def replay(
    looks: Looks,
    *,
    config: GateFile = None,
    samples: Samples,
    access: Access,
) -> None:
    """Put recorded looks through the gate, and print what it says after each.

    A look is one JSON object a line, counts of that look alone, in time order within a stream:

    {"stream": "a", "at": "2026-01-02T03:04:05Z", "metric": "task-success", "stable": {"good":
    370, "total": 380}, "candidate": {"good": 16, "total": 20}}

    A stream is one rollout, judged by the metrics that it has. The answer, a line a look, has
    stream, at, metric, evidence_worse, evidence_safe, regression and verdict.

    With --from-prometheus the looks of an agent's past rollouts are counted again, as far as its
    rollouts and the samples are still there:

    turnout gate replay support --config gate.yaml --from-prometheus http://localhost:9090

    Exit codes: 0 replayed, 2 the gate or a look cannot be used, or nothing can be fetched.
    """
    if config is None and not samples.print_looks:
        raise typer.BadParameter("give the gate to judge by: --config FILE")
    if samples.from_prometheus is not None:
        from turnout.cli.replay import archive

        end(archive.replay_past(access, looks, None if samples.print_looks else config, samples))
    elif config is None or samples.print_looks:
        raise typer.BadParameter("--print-looks has a meaning with --from-prometheus only")
    else:
        from turnout.cli.replay import command as verb

        raise typer.Exit(int(verb.replay(config, looks)))


@flat
def evals(
    candidate: Annotated[
        str, typer.Argument(metavar="CANDIDATE", help="The candidate's result file.")
    ],
    baseline: Annotated[
        str, typer.Argument(metavar="BASELINE", help="The result file that it is held against.")
    ],
    *,
    how: Annotated[
        Format, typer.Option("--format", case_sensitive=False, help="What both files are.")
    ],
    terms: Terms,
    output: Output = Form.TEXT,
) -> None:
    """Judge results of an evaluation, task by task, against those of another version.

    Both files are of one tool and of the same tasks, each tried at least twice. Errors are neither
    passes nor failures; where they are many there is no verdict.

    turnout gate evals candidate.json stable.json --format promptfoo --must-pass refund

    Exit codes: 0 Pass, 1 Fail, 2 a file cannot be used, 4 no verdict.
    """
    from turnout.cli import evals as verb

    raise typer.Exit(int(verb.evals(candidate, baseline, verb.Asked(how, terms), output)))


@flat
def simulate(
    strategy: Annotated[
        str,
        typer.Argument(
            metavar="STRATEGY",
            help="File with a RolloutStrategy, an Agent that has its own strategy and gate, or "
            "just these two blocks; - for standard input.",
        ),
    ],
    *,
    truth: Told,
    plan: Plan,
    output: Output = Form.TEXT,
) -> None:
    """Play a whole rollout in simulated time, with a stated truth, and print what happens.

    The operator's own decisions, on traffic made up from a seed: to choose steps and margins
    before they are trusted. Times count from the beginning of the rollout.

    turnout simulate strategy.yaml --rps 2 --stable 97% --worse 5pts@12m

    Exit codes: 0 simulated, 1 something is wrong with the strategy, 2 the file or a truth cannot
    be used.
    """
    from turnout.cli.simulate import command as verb

    raise typer.Exit(int(verb.simulate(strategy, truth, plan, output)))


def version() -> None:
    """Print this program's version."""
    from turnout import __version__

    typer.echo(__version__)
