"""A Kubernetes API in memory. The contract tests hold it to what a real one does.

It has versions, generations, uids, field ownership, the status subresource, label selectors and
preconditions. It has no controllers and no schemas: a list is one value, whoever owns it.
"""

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from typing_extensions import override

from turnout.adapters.documents import (
    FIELD_MANAGER,
    JSON,
    METADATA_LIST,
    Document,
    Kind,
    Ref,
    accepted_media,
    ref_of,
)
from turnout.adapters.ports import Cluster, Listing, Manifest, Mark
from turnout.core.naming import MANAGED_BY
from turnout.errors import AlreadyExists, Conflict, Invalid, NotFound

Change: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]
Path: TypeAlias = tuple[str, ...]
Request: TypeAlias = tuple[str, Ref]

_SERVER_OWNED = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields")
_ABSENT = object()


class FakeCluster(Cluster):
    """The Cluster port in memory.

    Attributes:
        requests: Each mutating request in order: verb and object.
        fault: Called before each request; raises what the request shall end with.
        subscribers: Called with each change, as a watch would tell it.
        broken: Objects that cannot be decoded.
    """

    def __init__(self, *namespaces: str) -> None:
        self.namespaces = set(namespaces or ("default",))
        self.requests: list[Request] = []
        self.fault: Callable[[str, Ref], None] = lambda _verb, _ref: None
        self.subscribers: list[Callable[[Change, Ref, Document], None]] = []
        self.broken: set[Ref] = set()
        self.absent_kinds: set[Kind] = set()
        self._objects: dict[Ref, dict[str, Any]] = {}
        self._owned: dict[Ref, dict[str, set[Path]]] = {}
        self._versions = itertools.count(1)
        self._last_version = 0

    @override
    async def get(self, ref: Ref) -> Document:
        self.fault("get", ref)
        if ref in self.broken:
            raise Invalid("NestedTooDeep", str(ref))
        return copy.deepcopy(self._find(ref))

    @override
    async def list(self, kind: Kind, namespace: str | None, selector: str = "") -> Listing:
        self.fault("list", Ref(kind, namespace or "", ""))
        if kind in self.absent_kinds:
            raise NotFound(kind.resource)
        media = accepted_media(kind, whole_list=True)
        found: dict[Ref, Document | Invalid] = {
            ref: Invalid("NestedTooDeep", str(ref)) if ref in self.broken else _shaped(each, media)
            for ref, each in self._objects.items()
            if ref.kind == kind
            and namespace in (None, ref.namespace)
            and _is_selected(each["metadata"].get("labels") or {}, selector)
        }
        return Listing(found, str(self._last_version))

    @override
    async def marks(self, kind: Kind, namespace: str | None, selector: str = "") -> frozenset[Mark]:
        return (await self.list(kind, namespace, selector)).marks

    @override
    async def create(self, manifest: Manifest) -> Document:
        ref = ref_of(manifest)
        self._receive("create", ref)
        if ref.kind.namespaced and ref.namespace not in self.namespaces:
            raise NotFound(f"namespace {ref.namespace}")
        if ref in self._objects:
            raise AlreadyExists(str(ref))
        self._owned[ref] = {FIELD_MANAGER: {path for path, _ in _leaves(_content(manifest))}}
        return self._store(ref, None, _without_status(manifest))

    @override
    async def apply(
        self,
        manifest: Manifest,
        version: str | None,
        *,
        whole: bool = True,
        dry_run: bool = False,
    ) -> Document:
        ref = ref_of(manifest)
        self._receive("apply", ref)
        old = self._objects.get(ref)
        uid = manifest["metadata"].get("uid")
        if uid and uid != (old["metadata"]["uid"] if old else ""):
            raise Conflict(f"{ref}: another uid")
        if old:
            self._fence(ref, old, version)
        elif ref.namespace not in self.namespaces:
            raise NotFound(f"namespace {ref.namespace}")
        new = copy.deepcopy(old or {})
        owned = self._owned.get(ref, {})
        wanted = dict(_leaves(_content(manifest)))
        others = {path for who, paths in owned.items() if who != FIELD_MANAGER for path in paths}
        ours = owned.get(FIELD_MANAGER, set())
        for path in ours - set(wanted) - others if whole else ():
            _put(new, path, _ABSENT)
        for path, value in wanted.items():
            _put(new, path, copy.deepcopy(value))
        if dry_run:
            return {**new, "apiVersion": manifest["apiVersion"], "kind": manifest["kind"]}
        kept = {who: paths - set(wanted) for who, paths in owned.items() if who != FIELD_MANAGER}
        self._owned[ref] = {who: p for who, p in kept.items() if p} | {
            FIELD_MANAGER: set(wanted) | (set() if whole else ours)
        }
        return self._store(ref, old, new)

    @override
    async def write_status(self, ref: Ref, status: Manifest, version: str) -> Document:
        self._receive("write_status", ref)
        old = self._find(ref)
        self._fence(ref, old, version)
        return self._store(ref, old, _merged(old, {"status": dict(status)}))

    @override
    async def annotate(
        self, ref: Ref, annotations: Mapping[str, str | None], version: str
    ) -> Document:
        self._receive("annotate", ref)
        old = self._find(ref)
        self._fence(ref, old, version)
        return self._store(ref, old, _merged(old, {"metadata": {"annotations": annotations}}))

    @override
    async def release(self, ref: Ref, version: str) -> Document:
        self._receive("release", ref)
        old = self._find(ref)
        self._fence(ref, old, version)
        for owned in self._owned.get(ref, {}).values():
            owned.discard(("metadata", "labels", MANAGED_BY))
        return self._store(ref, old, _merged(old, {"metadata": {"labels": {MANAGED_BY: None}}}))

    @override
    async def delete(self, ref: Ref, uid: str, version: str | None = None) -> None:
        self._receive("delete", ref)
        old = self._objects.get(ref)
        if old is None:
            return
        if uid != old["metadata"]["uid"]:
            raise Conflict(f"{ref}: another uid")
        self._fence(ref, old, version)
        self.vanish(ref)

    def edit(self, ref: Ref, patch: Manifest, manager: str = "kubectl-edit") -> Document:
        """Merge-patch an object as somebody else would, its status included."""
        old = self._find(ref)
        paths = {path for path, _ in _leaves(dict(patch))}
        for owned in self._owned.setdefault(ref, {}).values():
            owned.difference_update(paths)
        self._owned[ref].setdefault(manager, set()).update(paths)
        return self._store(ref, old, _merged(old, patch))

    def vanish(self, ref: Ref) -> None:
        """Remove an object as somebody else would."""
        gone = self._objects.pop(ref)
        self._owned.pop(ref, None)
        gone["metadata"]["resourceVersion"] = self._next_version()
        self._tell("DELETED", ref, gone)

    def _receive(self, verb: str, ref: Ref) -> None:
        self.fault(verb, ref)
        self.requests.append((verb, ref))

    def _find(self, ref: Ref) -> dict[str, Any]:
        if ref not in self._objects:
            raise NotFound(str(ref))
        return self._objects[ref]

    def _fence(self, ref: Ref, old: Document, version: str | None) -> None:
        if version not in (None, old["metadata"]["resourceVersion"]):
            raise Conflict(f"{ref}: {version} is stale")

    def _store(self, ref: Ref, old: Document | None, new: dict[str, Any]) -> Document:
        metadata = {**(old["metadata"] if old else {}), **new["metadata"]}
        if not old:
            number = len(self.requests) + self._last_version
            metadata |= {"uid": f"uid-{number}-{ref.name}", "generation": 1}
            metadata |= {"creationTimestamp": "2026-01-01T00:00:00Z"}
        metadata["managedFields"] = [
            {"manager": who, "operation": "Apply" if who == FIELD_MANAGER else "Update"}
            for who in self._owned.get(ref, {})
        ]
        new = {**new, "apiVersion": ref.kind.api_version, "kind": ref.kind.kind}
        new["metadata"] = {key: value for key, value in metadata.items() if value is not None}
        if old and _visible(old) == _visible(new):
            return copy.deepcopy(dict(old))
        if old and _spec(old) != _spec(new):
            metadata["generation"] += 1
        new["metadata"] |= {"generation": metadata["generation"]}
        new["metadata"] |= {"resourceVersion": self._next_version()}
        self._objects[ref] = new
        self._tell("MODIFIED" if old else "ADDED", ref, new)
        return copy.deepcopy(new)

    def _next_version(self) -> str:
        self._last_version = next(self._versions)
        return str(self._last_version)

    def _tell(self, change: Change, ref: Ref, document: Document) -> None:
        for subscriber in self.subscribers:
            subscriber(change, ref, copy.deepcopy(document))


def _shaped(document: Document, media: str) -> Document:
    """Give an object of a list in the shape that is asked for, in the server's own spelling.

    Raises:
        Invalid: No server knows that shape.
    """
    if media not in {JSON, METADATA_LIST}:
        raise Invalid("NotAcceptable", media)
    seen = tuple(document) if media == JSON else ("apiVersion", "kind", "metadata")
    return copy.deepcopy({key: document[key] for key in seen})


def _is_selected(labels: Mapping[str, str], selector: str) -> bool:
    """Claim that labels satisfy a selector of `key` and `key=value` terms."""
    terms = [term.partition("=") for term in selector.split(",") if term]
    return all(key in labels and (not sign or labels[key] == value) for key, sign, value in terms)


def _without_status(manifest: Manifest) -> dict[str, Any]:
    return copy.deepcopy({key: value for key, value in manifest.items() if key != "status"})


def _content(manifest: Manifest) -> dict[str, Any]:
    """Return what a manager can own."""
    kept = _without_status(manifest)
    kept.pop("apiVersion", None)
    kept.pop("kind", None)
    kept["metadata"] = {k: v for k, v in kept["metadata"].items() if k not in _SERVER_OWNED}
    return kept


def _leaves(document: Document, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    for key, value in document.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*at, key))
        else:
            yield (*at, key), value


def _put(document: dict[str, Any], path: Path, value: Any) -> None:
    *parents, last = path
    for key in parents:
        if not isinstance(document.get(key), dict):
            document[key] = {}
        document = document[key]
    if value is _ABSENT:
        document.pop(last, None)
    else:
        document[last] = value


def _merged(target: Any, patch: Any) -> Any:
    """Merge as RFC 7386 says: null removes, lists replace."""
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    merged = dict(copy.deepcopy(target)) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _visible(document: Document) -> Document:
    hidden = {"resourceVersion", "managedFields", "generation"}
    metadata = {k: v for k, v in document["metadata"].items() if k not in hidden and v}
    return {k: v for k, v in document.items() if k != "metadata"} | {"metadata": metadata}


def _spec(document: Document) -> Document:
    ignored = {"metadata", "status", "apiVersion", "kind"}
    return {key: value for key, value in document.items() if key not in ignored}
