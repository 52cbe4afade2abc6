"""Where a prompt's text may be kept outside the cluster, and what is known of it."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from turnout.api.base import Content, Digest, LocalRef, Timestamp, Wire
from turnout.api.schema import Cel
from turnout.api.tools import ServerUrl

OutsideName = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[!-~]([ -~]*[!-~])?$")]
Endpoint = Annotated[ServerUrl, Cel("!self.contains('?')", "an endpoint has no query")]
OutsideVersion = Annotated[int, Field(ge=1, le=2_147_483_647)]
OutsidePointer = Annotated[
    str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
]


class RefPolicy(StrEnum):
    """What follows when a label or an alias is moved to another version. May grow."""

    PIN = "Pin"
    TRACK = "Track"


class LangfuseSource(Content):
    """One version of a text prompt in Langfuse."""

    cel = (
        Cel(
            "has(self.version) != has(self.label)",
            "exactly one of version and label must be given",
        ),
    )

    endpoint: Endpoint
    """Where Langfuse is. Example: https://langfuse.example.com."""
    name: OutsideName
    """Name of the prompt there, with its folders. Example: support/system."""
    version: OutsideVersion | None = None
    """The version. Leave it out where label is given. Example: 7."""
    label: OutsidePointer | None = None
    """A label that points at a version. Example: production."""
    secret_ref: LocalRef
    """Secret in this namespace with the API key's two halves, under public-key and secret-key. A
    Job in this namespace reads it, the operator never. Example: {name: langfuse}."""

    @property
    def pointer(self) -> str | None:
        """What may be moved to another version."""
        return self.label

    def at(self, version: int) -> Self:
        """Name one version in place of the label."""
        return self.model_copy(update={"version": version, "label": None})


class MlflowSource(Content):
    """One version of a text prompt in MLflow's prompt registry."""

    cel = (
        Cel(
            "has(self.version) != has(self.alias)",
            "exactly one of version and alias must be given",
        ),
    )

    endpoint: Endpoint
    """Where the tracking server is. Example: https://mlflow.example.com."""
    name: OutsideName
    """Name of the prompt there. Example: support-system."""
    version: OutsideVersion | None = None
    """The version. Leave it out where alias is given. Example: 7."""
    alias: OutsidePointer | None = None
    """An alias that points at a version. Example: production."""
    secret_ref: LocalRef | None = None
    """Secret in this namespace with a bearer token under token; none where the server asks for
    none. A Job in this namespace reads it, the operator never. Example: {name: mlflow}."""

    @property
    def pointer(self) -> str | None:
        """What may be moved to another version."""
        return self.alias

    def at(self, version: int) -> Self:
        """Name one version in place of the alias."""
        return self.model_copy(update={"version": version, "alias": None})


class ResolvedText(Wire):
    """Which version was read outside, and is the prompt's text."""

    version: Annotated[str, Field(max_length=64)]
    """The version, as its system counts."""
    label: Annotated[str, Field(max_length=128)] | None = None
    """Label or alias that pointed at it then; absent where the version was asked for itself."""
    at: Timestamp
    """When it was read."""
    moved_to: Annotated[str, Field(max_length=64)] | None = None
    """Version that the label points at now, where that is another one and refPolicy is Pin."""
    source: Digest
    """Digest of where it was asked for: an edit of that asks anew."""
