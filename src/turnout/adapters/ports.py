"""What the shell needs of the outside world. Fakes stand behind these and nothing else.

Every method raises only the types of `turnout.errors`, and ends within ten seconds.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

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


class Clock(Protocol):
    """Wall time."""

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""
        ...
