"""What the cluster says of one agent, read as often as a command needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from turnout.adapters.documents import (
    AGENT,
    AGENT_ROLLOUT,
    AGENT_VERSION,
    Document,
    Kind,
    Ref,
    ref_of,
)
from turnout.adapters.person import PersonCluster
from turnout.adapters.ports import Listing
from turnout.api.agent import Agent
from turnout.api.base import Resource
from turnout.api.rollout import AgentRollout
from turnout.api.version import AgentVersion
from turnout.core.naming import AGENT_LABEL
from turnout.core.phase import has_ended
from turnout.errors import Invalid, NotFound

_Known = TypeVar("_Known", bound=Resource)


@dataclass(frozen=True, slots=True)
class Record:
    """An agent with its versions and rollouts.

    Attributes:
        versions: Versions by name.
        rollouts: Rollouts by number, newest last.
    """

    agent: Agent
    versions: Mapping[str, AgentVersion]
    rollouts: tuple[AgentRollout, ...]

    @property
    def name(self) -> str:
        """The agent's name."""
        return self.agent.metadata.name

    @property
    def stable(self) -> str | None:
        """Name of the version that the traffic can go back to."""
        return self.agent.status.stable.version if self.agent.status.stable else None

    @property
    def candidate(self) -> str | None:
        """Name of the version that is being tried."""
        return self.agent.status.candidate.version if self.agent.status.candidate else None

    @property
    def desired(self) -> str | None:
        """Name of the version that the agent's content makes now."""
        return self.agent.status.desired.version if self.agent.status.desired else None

    @property
    def newest(self) -> AgentRollout | None:
        """The rollout that runs, or ran last."""
        return self.rollouts[-1] if self.rollouts else None

    @property
    def running(self) -> AgentRollout | None:
        """The rollout that runs."""
        newest = self.newest
        return newest if newest is not None and not has_ended(newest.status.phase) else None

    @property
    def previous(self) -> str | None:
        """Name of the version that was stable before the one that is."""
        for rollout in reversed(self.rollouts):
            promoted = rollout.status.promoted_at is not None
            before = rollout.spec.from_
            if promoted and rollout.spec.to.version == self.stable and before is not None:
                return before.version
        return None

    def role(self, version: str) -> str:
        """Say in a word what a version is to the agent; empty where it is nothing now."""
        roles = {self.desired: "desired", self.candidate: "candidate", self.stable: "stable"}
        return roles.get(version, "")

    def version(self, word: str) -> str:
        """Find the version that a person means by a word.

        Args:
            word: `stable`, `candidate`, `desired`, `previous`, a name, the first digits of its
                digest, or a rollout's number as `r14`.

        Raises:
            NotFound: There is none, or more than one.
        """
        known = {"stable", "candidate", "desired", "previous"}
        found = {getattr(self, word)} if word in known else self._named(word)
        names = sorted(one for one in found if one)
        if len(names) == 1:
            return names[0]
        if names:
            raise NotFound(f"{word} may be {' or '.join(names)}")
        kept = ", ".join([*self.versions]) or "none"
        raise NotFound(f"agent {self.name} has no version {word}; it has {kept}")

    def _named(self, word: str) -> set[str]:
        of_rollouts = {
            one.spec.to.version
            for one in self.rollouts
            if word in {one.metadata.name, f"r{one.spec.number}"}
        }
        if word in self.versions:
            return {word}
        begins = (f"{self.name}-{word}", word)
        found = {one for one in self.versions if len(word) > 1 and one.startswith(begins)}
        return of_rollouts or found


async def read_record(cluster: PersonCluster, name: str) -> Record:
    """Read an agent with its versions and rollouts.

    Raises:
        NotFound: There is no such agent.
        Invalid: The cluster speaks in words that this program does not know.
    """
    mine = f"{AGENT_LABEL}={name}"
    agent, versions, rollouts = await asyncio.gather(
        cluster.get(Ref(AGENT, cluster.namespace, name)),
        cluster.list(AGENT_VERSION, cluster.namespace, mine),
        cluster.list(AGENT_ROLLOUT, cluster.namespace, mine),
    )
    return Record(
        parsed(Agent, agent),
        {one.metadata.name: one for one in listed(AgentVersion, versions)},
        tuple(sorted(listed(AgentRollout, rollouts), key=lambda one: one.spec.number)),
    )


def listed(kind: type[_Known], listing: Listing) -> list[_Known]:
    """Take every object of a list."""
    for one in listing.items.values():
        if isinstance(one, Invalid):
            raise one
    return [parsed(kind, one) for one in listing.items.values() if not isinstance(one, Invalid)]


def parsed(kind: type[_Known], document: Mapping[str, Any]) -> _Known:
    """Take an object of ours.

    Raises:
        Invalid: It says something that this program does not know.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        name = document["metadata"]["name"]
        message = f"{kind.__name__} {name}: {where}: {first['msg']}; is this program too old?"
        raise Invalid("Unknown", message) from error


__all__ = ["Document", "Kind", "Record", "listed", "parsed", "read_record", "ref_of"]
