"""AgentVersion: the index entry of one immutable version of an agent."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from turnout.api.base import (
    Conditions,
    Digest,
    Int64,
    Message,
    Name,
    Resource,
    Status,
    Text,
    Timestamp,
    Uid,
    Wire,
    Word,
)
from turnout.api.drift import Baseline
from turnout.api.schema import Cel, keyed_by


class Plane(StrEnum):
    """A part of an agent that can change by itself. May grow."""

    RUNTIME = "Runtime"
    PROMPT = "Prompt"
    TOOLS = "Tools"
    POLICY = "Policy"
    MODEL = "Model"


class VersionState(StrEnum):
    """What a version is to its agent. May grow."""

    CANDIDATE = "Candidate"
    STABLE = "Stable"
    PREVIOUS = "Previous"
    RETIRED = "Retired"
    REJECTED = "Rejected"


class PlaneDigest(Wire):
    """The digest of one part of the content."""

    name: Plane
    """Which part."""
    digest: Digest
    """Digest of it."""


class VersionSource(Wire):
    """An object that the content was read from."""

    plane: Plane
    """The part of the content that it gave."""
    kind: Word
    """Kind of the object. Example: Prompt."""
    name: Name
    """Name of the object. Example: support-system."""
    uid: Uid = ""
    """Identity of the object."""
    generation: Int64 = 0
    """Generation of its spec that was read."""


class VersionImage(Wire):
    """The image of one container."""

    container: Name
    """Name of the container. Example: agent."""
    image: Annotated[str, Field(max_length=1024)]
    """Image as the user wrote it. Example: registry.example.com/support:1.4."""


class ContentRef(Wire):
    """Where the content lies."""

    name: Name
    """Immutable ConfigMap in this namespace. Example: support-9c41e07b2d."""
    bytes: Int64
    """Size of what it holds. Example: 48211."""


class AgentVersionSpec(Wire):
    """What the version is. Nothing of it ever changes."""

    cel = (Cel("self == oldSelf", "an AgentVersion is immutable"),)

    agent: Name
    """Name of the Agent. Example: support."""
    digest: Digest
    """Digest over the whole content; always compared in full."""
    digest_scheme: Annotated[int, Field(ge=1, le=1000)]
    """How the digest was computed; a version keeps its scheme for life. Example: 1."""
    render: Annotated[int, Field(ge=1, le=1000)]
    """Generation of the rules by which its Deployment was written. Example: 1."""
    planes: Annotated[tuple[PlaneDigest, ...], Field(min_length=1, max_length=8), keyed_by("name")]
    """Digest of each part, to say what differs between two versions."""
    sources: Annotated[tuple[VersionSource, ...], Field(max_length=32)] = ()
    """Objects that the content was read from."""
    images: Annotated[tuple[VersionImage, ...], Field(max_length=64), keyed_by("container")] = ()
    """Images of the containers, as written by the user."""
    content_ref: ContentRef
    """Where the content lies."""


class Rejection(Wire):
    """Why a version was taken back."""

    rollout: Name
    """AgentRollout that judged it."""
    metric: Text | None = None
    """Metric that decided, where one did."""
    message: Message = ""
    """The cause in a sentence: metric, both values, rule."""


class AgentVersionStatus(Status):
    """What became of the version."""

    state: VersionState | None = None
    """What the version is to its agent now."""
    promoted_at: Timestamp | None = None
    """When it became stable last."""
    rejected_at: Timestamp | None = None
    """When it was taken back last."""
    rejected_by: Rejection | None = None
    """Why it was taken back."""
    baseline: Annotated[tuple[Baseline, ...], Field(max_length=20), keyed_by("name")] = ()
    """How it did when it was promoted, or soon after: what it is held to while it is stable, where
    the strategy has a watch."""
    conditions: Conditions = ()
    """ContentStored and Available."""


class AgentVersion(Resource):
    """An immutable version of an agent. Written by the operator only."""

    cel = (
        Cel(
            "self.metadata.name.startsWith(self.spec.agent + '-') && "
            "size(self.metadata.name) >= size(self.spec.agent) + 11 && "
            "self.spec.digest.startsWith('sha256:' + "
            "self.metadata.name.substring(size(self.spec.agent) + 1))",
            "the name is the agent's, a dash, and the digest's first ten hex digits or more",
        ),
    )

    kind: Literal["AgentVersion"] = "AgentVersion"
    """Kind of the object."""
    spec: AgentVersionSpec
    """What the version is."""
    status: AgentVersionStatus = AgentVersionStatus()
    """What became of it."""
