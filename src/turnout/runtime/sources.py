"""ToolRegistries and Prompts: observe, decide, apply, as for an Agent; Jobs ask what is outside."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeAlias

import structlog

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Document, Kind, Ref
from turnout.api.prompt import Prompt
from turnout.api.tools import ToolRegistry
from turnout.core.asking import SourceWorld
from turnout.core.jobs import JobSettings
from turnout.core.plan import Action, Announcement, Create, Remove
from turnout.core.prompt_sources import decide_prompt
from turnout.core.registries import decide_registry
from turnout.core.shared import Users
from turnout.core.sources import SourceOutcome
from turnout.errors import Conflict, Forbidden, Invalid
from turnout.runtime.apply import Hand
from turnout.runtime.inbox import Inbox
from turnout.runtime.parse import child
from turnout.runtime.store import Store
from turnout.runtime.texts import Texts

logger = structlog.stdlib.get_logger(__name__)

Source: TypeAlias = ToolRegistry | Prompt
SOURCES: Final[Mapping[Kind, type[Source]]] = MappingProxyType(
    {kinds.TOOL_REGISTRY: ToolRegistry, kinds.PROMPT: Prompt}
)
"""Types of these kinds."""

Announce = Callable[[Announcement], None]
Wake = Callable[[Iterable[Ref]], None]
_AT_ONCE = timedelta(0)


class Sources:
    """Looks after what may be kept outside the cluster, and what people read of it."""

    def __init__(
        self,
        store: Store,
        hand: Hand,
        texts: Texts,
        inbox: Inbox,
        *,
        wake: Wake,
        way: JobSettings | None,
    ) -> None:
        self._store = store
        self._hand = hand
        self._texts = texts
        self._inbox = inbox
        self._wake = wake
        self._way = way
        self._refused: dict[Ref, str] = {}

    async def look(
        self,
        ref: Ref,
        source: Source,
        users: Users,
        now: datetime,
        announce: Announce,
    ) -> timedelta | None:
        """Look at one object; returns when to look again.

        Raises:
            Conflict: The world moved on meanwhile.
            Transient: The API server is unwell.
        """
        world = await self._world(ref, source, users, now)
        outcome = await self._decide(ref, source, world)
        for action in outcome.actions:
            await self._act(ref, action)
        self._inbox.settle(ref, world.answer, taken=_was_taken(world))
        for announcement in outcome.announcements:
            announce(announcement)
        if outcome.concerns_users:
            self._wake(self._store.users(ref))
        return again_in(outcome, now)

    def forget(self, ref: Ref) -> None:
        """Drop what is kept of an object that is gone."""
        self._refused.pop(ref, None)
        self._texts.forget(ref)

    async def _decide(self, ref: Ref, source: Source, world: SourceWorld) -> SourceOutcome:
        match source:
            case ToolRegistry():
                return decide_registry(source, world)
            case Prompt():
                return decide_prompt(source, await self._texts.complete(ref, source), world)

    async def _world(self, ref: Ref, source: Source, users: Users, now: datetime) -> SourceWorld:
        jobs: dict[str, Document | Invalid] = {
            one.name: item for one, item in self._store.children(ref, kinds.JOB).items()
        }
        return SourceWorld(
            now=now,
            source=source,
            task=source.status.task,
            users=users,
            jobs={name: child(one) for name, one in jobs.items() if not isinstance(one, Invalid)},
            answer=self._inbox.answer(ref),
            pinned=await self._texts.shelf.pinned(ref.namespace, source.status.content_ref),
            nonce=secrets.token_hex(16),
            way=self._way,
            refused=self._refused.get(ref),
        )

    async def _act(self, ref: Ref, action: Action) -> None:
        """Carry one action out; a Job that is refused is told on the object, in the server's words.

        Raises:
            Conflict: The object is not what the decision was made on.
            Invalid: The server refuses anything else.
        """
        try:
            self._wake(await self._hand.apply(action))
        except (Invalid, Forbidden) as error:
            if not _makes_job(action):
                raise
            logger.warning("refused", object=str(ref), error=str(error))
            self._refused[ref] = error.message if isinstance(error, Invalid) else str(error)
        except Conflict:
            self._give_way(ref, action)
        else:
            self._refused.pop(ref, None)

    def _give_way(self, ref: Ref, action: Action) -> None:
        """Go on where what was to be made is there already, or what was to go is gone.

        A ConfigMap is named for its bytes and proved by them when it is read; a Job that is not
        ours does not know the word. Any other conflict is the decision's.
        """
        name = _named(action)
        if name is None:
            raise Conflict(f"{ref} changed meanwhile")
        self._texts.shelf.forget(Ref(kinds.CONFIG_MAP, ref.namespace, name))


def _makes_job(action: Action) -> bool:
    return isinstance(action, Create) and bool(action.manifest["kind"] == kinds.JOB.kind)


def _named(action: Action) -> str | None:
    match action:
        case Create(manifest):
            return str(manifest["metadata"]["name"])
        case Remove(target, _, _):
            return target.name
        case _:
            return None


def _was_taken(world: SourceWorld) -> bool:
    task, answer = world.task, world.answer
    return task is not None and answer is not None and task.nonce_hash == answer.nonce_hash


def again_in(outcome: SourceOutcome, now: datetime) -> timedelta | None:
    """Tell when to look again: at once where something was done."""
    if outcome.actions:
        return _AT_ONCE
    return None if outcome.again_at is None else max(outcome.again_at - now, _AT_ONCE)
