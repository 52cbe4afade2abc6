"""Options that many commands share, as dataclasses whose fields become options."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
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


__all__ = ["Access", "Acting", "Asking", "Form", "Goal", "View", "flat"]
