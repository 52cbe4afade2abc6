"""Apply: one request an action, each fenced by what the decision was made on."""

from typing import Final, assert_never

from turnout.adapters.documents import (
    AGENT_ROLLOUT,
    BY_TYPE,
    HTTP_ROUTE,
    Document,
    Kind,
    Ref,
    ref_of,
)
from turnout.adapters.ports import Cluster
from turnout.api.rollout import RolloutPhase
from turnout.core.plan import Action, Annotate, Apply, Create, Record, Release, Remove, Target
from turnout.errors import AlreadyExists, Conflict, NotFound
from turnout.runtime.store import Refs, Store

_KINDS: dict[str, Kind] = {kind.kind: kind for kind in BY_TYPE.values()}
_NONE: Refs = frozenset()
_TAKEN_BACK: Final = frozenset({RolloutPhase.ROLLED_BACK.value, RolloutPhase.ABORTED.value})


class Hand:
    """Carries actions out and keeps the Store up with what they did.

    An answer that says that the world has moved on (a conflict, a name taken, an object gone) is
    followed by one fresh read of that object, so that the next decision is made on the truth
    even where the watch lags behind.
    """

    def __init__(self, cluster: Cluster, store: Store) -> None:
        self._cluster = cluster
        self._store = store

    async def apply(self, action: Action) -> Refs:
        """Carry out one action; returns whom the change bears on.

        Raises:
            Conflict: The object is not what the decision was made on: decide again.
        """
        match action:
            case Create(manifest):
                return await self._create(manifest)
            case Remove(target, uid, version):
                return await self._remove(ref_to(target), uid, version)
            case Apply(manifest, version, whole):
                ref = ref_of(manifest)
                change = self._cluster.apply(manifest, version, whole=whole)
            case Record(target, status, version):
                ref = ref_to(target)
                change = self._cluster.write_status(ref, status, version)
            case Release(target, version):
                ref = ref_to(target)
                change = self._cluster.release(ref, version)
            case Annotate(target, annotations, version):
                ref = ref_to(target)
                change = self._cluster.annotate(ref, annotations, version)
            case _:
                assert_never(action)
        try:
            return self._keep(ref, await change)
        except (Conflict, NotFound) as error:
            return await self._read_again(ref, error)

    async def _create(self, manifest: Document) -> Refs:
        ref = ref_of(manifest)
        try:
            return self._keep(ref, await self._cluster.create(manifest))
        except AlreadyExists as error:
            return await self._read_again(ref, Conflict(str(error)))

    async def _remove(self, ref: Ref, uid: str, version: str) -> Refs:
        try:
            await self._cluster.delete(ref, uid, version)
        except Conflict as error:
            return await self._read_again(ref, error)
        return self._store.remove(ref)

    def _keep(self, ref: Ref, document: Document) -> Refs:
        return self._store.put(ref, document)

    async def _read_again(self, ref: Ref, error: Conflict | NotFound) -> Refs:
        """Read what is there now, then let the decision be made again."""
        try:
            self._keep(ref, await self._cluster.get(ref))
        except NotFound:
            self._store.remove(ref)
        raise Conflict(f"{ref} changed meanwhile") from error


def ref_to(target: Target) -> Ref:
    """Name the object of an action to the adapters."""
    return Ref(_KINDS[target.kind], target.namespace, target.name)


def name_of(action: Action) -> str:
    """Name the object that an action is about."""
    match action:
        case Create(manifest) | Apply(manifest, _, _):
            return str(manifest["metadata"]["name"])
        case Record(target) | Remove(target) | Release(target) | Annotate(target):
            return target.name
    assert_never(action)


def pressing(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Give what users feel of a way back, the record and the route; else all actions.

    A provider's or a model's bad day takes hundreds of candidates back at once. What is left of
    each, pods and what is told, waits until the traffic of all is back: the next look finds it.
    """
    if not any(isinstance(one, Record) and _takes_back(one) for one in actions):
        return actions
    routes = (number for number, one in enumerate(actions, 1) if _moves_route(one))
    return actions[: next(routes, len(actions))]


def _takes_back(record: Record) -> bool:
    return record.target.kind == AGENT_ROLLOUT.kind and record.status.get("phase") in _TAKEN_BACK


def _moves_route(action: Action) -> bool:
    return isinstance(action, Apply) and action.manifest["kind"] == HTTP_ROUTE.kind
