"""What the shell needs of the outside world. Fakes stand behind these and nothing else.

Every method raises only the types of `turnout.errors`, and ends within ten seconds.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeAlias

from turnout.adapters.documents import Document, Kind, Ref
from turnout.errors import Invalid

Manifest: TypeAlias = Mapping[str, Any]
"""A document to be written: `apiVersion`, `kind`, `metadata` with name and namespace, content."""


Annotations: TypeAlias = Mapping[str, str | None]
"""Annotations to set, or to remove (None)."""

Mark: TypeAlias = tuple[str, str]
"""An object's uid and resourceVersion: while both are the same, so is the object."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One consistent list of a kind.

    Attributes:
        items: Each object, or Invalid for a key whose object could not be taken.
        version: The collection's resourceVersion: newer events are not contained.
    """

    items: Mapping[Ref, Document | Invalid]
    version: str

    @property
    def marks(self) -> frozenset[Mark]:
        """Marks of the objects that could be taken."""
        return marks_of(self.items.values())


def marks_of(items: Iterable[Document | Invalid]) -> frozenset[Mark]:
    """Tell the marks of those objects that could be taken."""
    known = (item["metadata"] for item in items if not isinstance(item, Invalid))
    return frozenset((one["uid"], one["resourceVersion"]) for one in known)


class Cluster(Protocol):
    """The Kubernetes API on plain documents.

    Raises besides what a method names: Transient (unreachable, overloaded, timed out),
    Forbidden, and Invalid where the server refused the content.
    """

    async def get(self, ref: Ref) -> Document:
        """Read one object from the server's quorum.

        Raises:
            NotFound: It, or its kind, is not there.
            Invalid: It is there and cannot be decoded.
        """
        ...

    async def list(self, kind: Kind, namespace: str | None, selector: str = "") -> Listing:
        """Read all objects of a kind, in a namespace or (None) in all, 500 a request.

        Of ConfigMaps only the metadata is read.

        Raises:
            NotFound: The kind is not served.
        """
        ...

    async def marks(self, kind: Kind, namespace: str | None, selector: str = "") -> frozenset[Mark]:
        """Tell which objects a list would hold, without reading what is in them.

        Raises:
            NotFound: The kind is not served.
        """
        ...

    async def create(self, manifest: Manifest) -> Document:
        """Make a new object.

        Raises:
            AlreadyExists: The name is taken.
            NotFound: The namespace is not there.
        """
        ...

    async def apply(
        self,
        manifest: Manifest,
        version: str | None,
        *,
        whole: bool = True,
        dry_run: bool = False,
    ) -> Document:
        """Server-side apply, taking over conflicting fields.

        A whole manifest names all that Turnout wants: fields of ours that it lacks are removed.
        One that is not whole changes the fields it names and keeps the others. With a version it
        never overwrites a later one, and with `metadata.uid` in the manifest it never brings back
        what was deleted (the version alone does not fence that: measured). Without both it
        creates or overwrites. A dry run returns what would be stored.

        Raises:
            Conflict: The object is no longer at this version, or no longer this very object.
            NotFound: The namespace is not there.
        """
        ...

    async def write_status(self, ref: Ref, status: Manifest, version: str) -> Document:
        """Merge into the status of an object at this version: lists replace, None removes.

        Raises:
            Conflict: The object is no longer at this version.
            NotFound: It is gone.
        """
        ...

    async def annotate(self, ref: Ref, annotations: Annotations, version: str) -> Document:
        """Set annotations of an object at this version through its status, or remove them (None).

        For pods: the right to write their status does not reach what they run.

        Raises:
            Conflict: The object is no longer at this version.
            NotFound: It is gone.
        """
        ...

    async def release(self, ref: Ref, version: str) -> Document:
        """Drop the managed-by label of an object at this version, and change nothing else.

        Raises:
            Conflict: The object is no longer at this version.
            NotFound: It is gone.
        """
        ...

    async def delete(self, ref: Ref, uid: str, version: str | None = None) -> None:
        """Delete this very object, its dependents in the background; gone already is done.

        Raises:
            Conflict: Another object bears the name, or it is no longer at this version.
        """
        ...


@dataclass(frozen=True, slots=True)
class Badge:
    """The pod that a token is bound to: only a process in it can have it.

    Attributes:
        pod: Name of the pod.
        uid: Its identity among all that ever had this name.
    """

    namespace: str
    pod: str
    uid: str


class Badges(Protocol):
    """Tokens of pods, made for reports and for nothing else."""

    async def read(self, token: str) -> Badge:
        """Check a token and tell whose it is.

        Raises:
            Invalid: It is not such a token, or no longer one.
            Transient: It cannot be checked now.
        """
        ...


class Presence(Protocol):
    """Whether a kind itself is there to stay."""

    async def offers_create(self, kind: Kind) -> bool:
        """Tell whether new objects of a kind can be made: not so while it is being deleted.

        Raises:
            Transient: There is no answer.
        """
        ...

    def changes(self, kind: Kind, namespace: str) -> AsyncGenerator[tuple[Ref, bool]]:
        """Yield each object that is there or changes, with True, and each that goes, with False.

        It ends where the server ends the stream.

        Raises:
            Transient: The stream could not be opened, or broke.
        """
        ...


UNNAMED: Final = ("",)
"""In place of pods: series without the label that would name one."""


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """The raw samples of one metric of pods, in `(end - lookback, end]`.

    Attributes:
        metric: The metric's name: `agent_tasks_total`, `agent_seconds_bucket`.
        namespaces: Namespaces of the pods.
        end: Last instant of the samples.
        lookback: How far back they reach.
        pods: Names of the pods; series of others are not asked for. All pods where None; what names
            no pod where `UNNAMED`.
        match_labels: Further labels and their exact values.
        upper_bound: Value of `le` where one bucket of a histogram is wanted, however spelled.
        version_label: Label of series that name no pod but a version; then versions stand for pods,
            in the question and in the answer.
    """

    metric: str
    namespaces: tuple[str, ...]
    end: datetime
    lookback: timedelta
    pods: tuple[str, ...] | None = None
    match_labels: Mapping[str, str] = field(default_factory=dict)
    upper_bound: float | None = None
    version_label: str | None = None

    @property
    def is_unnamed(self) -> bool:
        """Claim that series are asked for that do not tell whose they are."""
        return self.pods == UNNAMED


@dataclass(frozen=True, slots=True)
class Series:
    """The samples of one time series, oldest first.

    Attributes:
        namespace: Namespace of the pod.
        pod: Pod that exposes it, or version that its label names.
        labels: All its labels but the metric's name.
        samples: When each was scraped, in unix seconds, and its value; values are finite and not
            negative.
        dropped: Samples left out because their value was none (NaN, infinite, negative).
        problem: Why nothing of this pod may be believed; None where it may.
    """

    namespace: str
    pod: str
    labels: Mapping[str, str]
    samples: tuple[tuple[float, float], ...]
    dropped: int = 0
    problem: str | None = None


class Metrics(Protocol):
    """The metrics providers that an administrator defined."""

    async def samples(self, provider: str, query: SampleQuery) -> Sequence[Series]:
        """Read raw samples; no series is an answer, and says nothing about the agent.

        Raises:
            MetricsUnavailable: There is no answer, or none that may be trusted.
        """
        ...


@dataclass(frozen=True, slots=True)
class IncreaseQuery:
    """By how much a counter grew in `(end - window, end]`, all pods of an agent together.

    Attributes:
        metric: The metric's name: `agent_tasks_total`, `agent_seconds_bucket`.
        namespaces: Namespaces of the agents.
        end: Last instant.
        window: How far back it reaches.
        match_labels: Further labels and their exact values.
        upper_bound: Value of `le` where one bucket of a histogram is wanted, however spelled.
        version_label: Label of series that name no pod but a version; else the provider's pod
            label tells whose they are.
    """

    metric: str
    namespaces: tuple[str, ...]
    end: datetime
    window: timedelta
    match_labels: Mapping[str, str] = field(default_factory=dict)
    upper_bound: float | None = None
    version_label: str | None = None


class ServiceMetrics(Protocol):
    """What the providers know of whole services, pods that are long gone included."""

    async def increases(
        self, provider: str, query: IncreaseQuery
    ) -> Mapping[tuple[str, str], float]:
        """Read the growth by namespace and agent; who is missing has no such series.

        A pod belongs to an agent by its name, which begins with that of a version. Resets of a
        counter are seen, and growth is extrapolated to the window's edges.

        Raises:
            MetricsUnavailable: There is no answer, or none that may be trusted.
        """
        ...


class Clock(Protocol):
    """Wall time."""

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""
        ...
