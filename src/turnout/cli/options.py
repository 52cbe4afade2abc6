"""Options that many commands share, as dataclasses whose fields become options."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, get_type_hints

import typer

from turnout.adapters.access import Access


class Form(StrEnum):
    """How a command answers: for people, or for programs."""

    TEXT = "text"
    JSON = "json"
    YAML = "yaml"


class Goal(StrEnum):
    """What is waited for."""

    PROMOTED = "promoted"
    SETTLED = "settled"


class View(StrEnum):
    """How a changed text is shown."""

    LINES = "lines"
    WORDS = "words"
    COLUMNS = "columns"


@dataclass(frozen=True, slots=True)
class Acting:
    """How a person changes something.

    Attributes:
        dry_run: Let the API server check it, and change nothing.
        yes: Do not ask again before something that cannot be taken back.
    """

    dry_run: bool = False
    yes: bool = False


@dataclass(frozen=True)
class Asking(Acting):
    """The same with a place for a reason.

    Attributes:
        reason: Why, for the record.
    """

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a person says is true in a simulation, word by word.

    Attributes:
        rate: Requests a second to the agent.
        stable: Shares of good answers, such as 97% or latency=95%.
        worse: Drops of the candidate, such as 5pts or task-success=5pts@12m.
        incident: Drops of both versions, such as 10pts@20m+10m.
        outage: Times without metrics, such as 30m+5m.
        people: How long people take to say yes, such as 10m; they never do without it.
    """

    rate: float = 2.0
    stable: list[str] | None = None
    worse: list[str] | None = None
    incident: list[str] | None = None
    outage: list[str] | None = None
    people: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated.

    Attributes:
        seed: Of the first rollout; each further one has the next.
        runs: How many rollouts.
        until: How long to follow each, as 3h; as long as it may take where absent.
    """

    seed: int = 1
    runs: int = 1
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """Where samples of the past are.

    Attributes:
        from_prometheus: Address of the Prometheus; None where looks come out of a file.
        rollout: The rollout, as r14; all of the agent's without it.
        scrape: How often it scrapes.
        headers_file: YAML mapping of request headers, as the operator's headersFile.
        ca_file: Certificates that its own is checked against.
        print_looks: Print the looks in place of judging them.
    """

    from_prometheus: str | None = None
    rollout: str | None = None
    scrape: str = "15s"
    headers_file: Path | None = None
    ca_file: Path | None = None
    print_looks: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """How results of two versions are compared.

    Attributes:
        recorded: The baseline is a record, and no run beside the candidate's.
        max_regression: Largest acceptable drop of the mean, as 10%; None for the usual one.
        must_pass: Tasks of which one failure blocks.
        threshold: METRIC=SCORE, the least score that passes, where a format knows no pass.
    """

    recorded: bool = False
    max_regression: str | None = None
    must_pass: list[str] | None = None
    threshold: list[str] | None = None


_PROMETHEUS: Final = "Looks out of a Prometheus"
_TRUTH: Final = "Truth (of all metrics, or of one: METRIC=...; may be repeated)"
_CLUSTER: Final = "Cluster (as kubectl has them)"

OPTIONS: Final[Mapping[str, Any]] = {
    "kubeconfig": typer.Option(
        "--kubeconfig",
        metavar="FILE",
        help="In place of $KUBECONFIG and ~/.kube/config.",
        rich_help_panel=_CLUSTER,
    ),
    "context": typer.Option(
        "--context", help="In place of the current context.", rich_help_panel=_CLUSTER
    ),
    "namespace": typer.Option(
        "--namespace", "-n", help="In place of the context's.", rich_help_panel=_CLUSTER
    ),
    "user": typer.Option(
        "--as", metavar="USER", help="Act under another name.", rich_help_panel=_CLUSTER
    ),
    "reason": typer.Option("--reason", "-r", help="Why; it stays in the record."),
    "dry_run": typer.Option("--dry-run", help="Let the API server check it, and change nothing."),
    "yes": typer.Option("--yes", "-y", help="Do not ask again."),
    "rate": typer.Option("--rps", help="Requests a second, in all.", rich_help_panel=_TRUTH),
    "stable": typer.Option(
        metavar="SHARE", help="Good answers of stable, 97% unless said.", rich_help_panel=_TRUTH
    ),
    "worse": typer.Option(
        metavar="POINTS[@FROM]",
        help="The candidate against stable: 5pts, or 5pts@12m.",
        rich_help_panel=_TRUTH,
    ),
    "incident": typer.Option(
        metavar="POINTS@FROM+LENGTH",
        help="Both versions get worse: 10pts@20m+10m.",
        rich_help_panel=_TRUTH,
    ),
    "outage": typer.Option(
        metavar="FROM+LENGTH", help="Prometheus is away: 30m+5m.", rich_help_panel=_TRUTH
    ),
    "people": typer.Option(
        metavar="DURATION",
        help="So long people take to approve, or to promote past a pause; never unless said.",
        rich_help_panel=_TRUTH,
    ),
    "from_prometheus": typer.Option(
        metavar="URL",
        help="Count the looks of an agent's past rollouts there.",
        rich_help_panel=_PROMETHEUS,
    ),
    "rollout": typer.Option(
        help="One rollout, as r14; else all that the cluster still has.",
        rich_help_panel=_PROMETHEUS,
    ),
    "scrape": typer.Option(
        "--scrape-interval",
        metavar="DURATION",
        help="How often it scrapes pods.",
        rich_help_panel=_PROMETHEUS,
    ),
    "headers_file": typer.Option(
        metavar="FILE",
        help="Headers to ask with, as YAML: {Authorization: Bearer ...}.",
        rich_help_panel=_PROMETHEUS,
    ),
    "ca_file": typer.Option(
        metavar="FILE",
        help="Certificates that its own is checked against.",
        rich_help_panel=_PROMETHEUS,
    ),
    "print_looks": typer.Option(
        "--print-looks",
        help="Print the looks, as this command reads them; needs no gate.",
        rich_help_panel=_PROMETHEUS,
    ),
    "seed": typer.Option(help="Of the traffic's chance; the same one again."),
    "runs": typer.Option(min=1, max=10_000, help="So many rollouts, and a table of their ends."),
    "recorded": typer.Option(
        "--recorded", help="The baseline ran before, 20 trials a task or more."
    ),
    "max_regression": typer.Option(
        metavar="SHARE", help="Largest drop of the mean: 10%, over 60 tasks 5%, unless said."
    ),
    "must_pass": typer.Option(metavar="TASK", help="One failure blocks; may be repeated."),
    "threshold": typer.Option(
        metavar="METRIC=SCORE", help="Least score that passes, where the format knows no pass."
    ),
    "until": typer.Option(metavar="DURATION", help="How long each is followed at most."),
}

Command = Callable[..., None]


def flat(command: Command) -> Command:
    """Let a command take dataclasses of options: each of their fields is an option of its own."""
    hints = get_type_hints(command, include_extras=True)
    given = inspect.signature(command).parameters.values()
    groups = {one.name: hints[one.name] for one in given if is_dataclass(hints[one.name])}
    plain = [
        one.replace(annotation=hints[one.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for one in given
        if one.name not in groups
    ]
    shared = [option for group in groups.values() for option in _options(group)]

    @functools.wraps(command)
    def flattened(**words: Any) -> None:
        for name, group in groups.items():
            words[name] = group(**{one.name: words.pop(one.name) for one in fields(group)})
        command(**words)

    parameters = [*plain, *shared]
    signature = inspect.Signature(parameters, return_annotation=None)
    vars(flattened).update(
        __signature__=signature,
        __annotations__={one.name: one.annotation for one in parameters},
    )
    flattened.__doc__ = _unwrapped(command.__doc__ or "")
    return flattened


def _unwrapped(text: str) -> str:
    """Join the lines of each paragraph: the terminal decides where they end."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(one.split("\n")) for one in paragraphs)


def _options(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group)
    return [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=one.default,
            annotation=Annotated[hints[one.name], OPTIONS[one.name]],
        )
        for one in fields(group)
    ]


__all__ = [
    "Access",
    "Acting",
    "Asking",
    "Form",
    "Goal",
    "Plan",
    "Samples",
    "Terms",
    "Told",
    "View",
    "flat",
]
