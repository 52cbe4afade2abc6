"""Everything a decision about one Agent may look at, read once, frozen.

What people and the operator wrote is kept as the wire types; only what was observed gets a
type of its own here. What is not known is said: a ``Blind``, an ``Unread``, a None with a
meaning, never an exception and never a zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from turnout.api.agent import Agent, Model
from turnout.api.evalrun import EvalRun
from turnout.api.metric import MetricTemplate
from turnout.api.policy import AgentPolicy
from turnout.api.prompt import Prompt
from turnout.api.rollout import AgentRollout
from turnout.api.strategy import RolloutStrategy
from turnout.api.tools import ToolRegistry
from turnout.api.version import AgentVersion, Plane
from turnout.core import naming
from turnout.core.budget import Spending
from turnout.core.clues import NO_CLUES, Clues
from turnout.core.gates import Blind
from turnout.core.ledger import Ledger
from turnout.core.lineup import Turn
from turnout.core.looks import ArmRole, Cadence, Member, Readings
from turnout.core.plan import Document
from turnout.core.reasons import Reason
from turnout.core.watching import NO_PEERS, Peers, Watching

Tools: TypeAlias = Mapping[str, tuple[str, str | None]]
"""By name of a tool: address of its server, and digest of what it tells; None where it is gone."""


@dataclass(frozen=True)
class Unread:
    """An object that exists but could not be taken: never the same as one that is absent.

    Attributes:
        message: What is wrong with it and how to mend it.
        reason: ResolveError where it may pass by itself, else what a person has to mend.
    """

    message: str
    reason: Reason = Reason.RESOLVE_ERROR


@dataclass(frozen=True)
class Sources:
    """What the Agent refers to, by name; a name that is missing does not exist.

    Attributes:
        tools_drift: What servers offer otherwise than pinned, where rollouts wait for it.
    """

    prompts: Mapping[str, Prompt | Unread] = field(default_factory=dict)
    registry: ToolRegistry | Unread | None = None
    tools_drift: str | None = None
    policy: AgentPolicy | Unread | None = None
    strategy: RolloutStrategy | Unread | None = None
    templates: Mapping[str, MetricTemplate | Unread] = field(default_factory=dict)


@dataclass(frozen=True)
class Child:
    """An object in the cluster that the operator made, or that holds a name it wants.

    Attributes:
        uid: Its identity: a delete names it.
        version: resourceVersion that was read: a write names it.
        document: The object as read.
    """

    uid: str
    version: str
    document: Document

    @property
    def metadata(self) -> Document:
        """Its metadata."""
        found: Document = self.document.get("metadata", {})
        return found

    def annotation(self, name: str) -> str | None:
        """Read one annotation."""
        return (self.metadata.get("annotations") or {}).get(name)


@dataclass(frozen=True)
class Pod:
    """One pod of one version.

    Attributes:
        ready: Ready and not being deleted: traffic may reach it.
        created: Unix seconds.
        trouble: Why it is not ready, in the kubelet's words; None where it gave none.
        resource: resourceVersion that was read: a write names it.
        order: What it was told of the kill switch; None where it was told nothing.
        repeat_at: When it is to be told once more, as written on it; None where that is done.
        hears: It was rendered with a place to read orders, and is not being deleted: the kubelet
            no longer changes files of a pod that ends.
    """

    name: str
    version: str
    ready: bool
    created: float
    trouble: str | None = None
    resource: str = ""
    order: str | None = None
    repeat_at: str | None = None
    hears: bool = False


@dataclass(frozen=True)
class Stored:
    """What a version's ConfigMap holds for the operator: how to make its pods and index it again.

    Attributes:
        template: The pod template as a person wrote it.
        files: Names of all its files.
        container: Container that gets the content; None for the first one.
        digest: Full digest of the content.
        planes: Digest of each part.
        size: Bytes of all files.
    """

    template: Mapping[str, Any]
    files: tuple[str, ...]
    container: str | None = None
    digest: str = ""
    planes: Mapping[Plane, str] = field(default_factory=dict)
    size: int = 0


@dataclass(frozen=True)
class Arm:
    """The pods of one version, counted."""

    pods: int = 0
    ready: int = 0
    trouble: str | None = None


@dataclass(frozen=True)
class World:
    """One Agent and all that bears on it at one moment.

    Attributes:
        now: The only time there is.
        settles_in: Seconds until the content has been still for long enough to be taken.
        rollouts: The agent's rollouts by number, newest last.
        children: Objects by (kind, name).
        stored: Content of versions whose Deployment or index entry is missing, by version.
        readings: Per metric what the provider said, or why it could not be read.
        ledger: Per metric what is kept of the looks so far.
        scrape: The provider's scrape interval in seconds.
        lag: How long after a window's end samples of all were there lately, in seconds.
        approvals_protected: True where an admission policy vouches for who approved.
        routes_served: True where the cluster serves HTTPRoute.
        crd_uid: uid of the Agent CRD, put on children so that its loss can be told from an
            Agent's deletion.
        refused: What the API server said when it refused an object of ours, by its name.
        forbidden: The right that the operator lacks here, verb and resource.
        turn: Whether a rollout may begin that counts; None where there is no limit.
        tools: What servers told of the tools of versions that may be gone back to, where tools
            drifted, by version.
        spendings: What the whole service answered, by objective.
        watching: What was seen of stable since it is watched.
        peers: Other watched agents whose model the same provider serves.
        models: The model of each version whose content was read and proved, where that was asked.
        clues: What was found of the cause where somebody does worse.
        runs: EvalRuns under the names of those that the running rollout waits for.
        foreign: Versions under whose name stands what is not that version, with the cause: such
            objects are left as they are.
    """

    now: datetime
    agent: Agent
    sources: Sources
    settles_in: float = 0.0
    versions: Mapping[str, AgentVersion] = field(default_factory=dict)
    rollouts: tuple[AgentRollout, ...] = ()
    children: Mapping[tuple[str, str], Child] = field(default_factory=dict)
    pods: tuple[Pod, ...] = ()
    stored: Mapping[str, Stored | Unread] = field(default_factory=dict)
    readings: Mapping[str, Readings | Blind] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=dict)
    scrape: float = 15.0
    lag: float = math.inf
    approvals_protected: bool = False
    routes_served: bool = True
    crd_uid: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
    forbidden: str | None = None
    foreign: Mapping[str, str] = field(default_factory=dict)
    turn: Turn | None = None
    tools: Mapping[str, Tools] = field(default_factory=dict)
    spendings: Mapping[str, Spending] = field(default_factory=dict)
    runs: Mapping[str, EvalRun] = field(default_factory=dict)
    watching: Watching | None = None
    peers: Peers = NO_PEERS
    clues: Clues = NO_CLUES
    models: Mapping[str, Model | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The Agent's name."""
        return self.agent.metadata.name

    @property
    def namespace(self) -> str:
        """The Agent's namespace: everything it may refer to or own is in it."""
        return self.agent.metadata.namespace or ""

    def child(self, kind: str, name: str) -> Child | None:
        """Find an object by kind and name."""
        return self.children.get((kind, name))

    def ours(self, kind: str, name: str) -> Child | None:
        """Find an object by kind and name where the operator made it for this Agent."""
        found = self.child(kind, name)
        if found is None or name in self.foreign:
            return None
        return found if naming.is_ours(found.metadata, self.name) else None

    def arm(self, version: str | None) -> Arm:
        """Count the pods of a version."""
        pods = [pod for pod in self.pods if pod.version == version]
        troubles = [self.refused.get(version), self._pod_refusal(version)] if version else []
        troubles += [pod.trouble for pod in pods if not pod.ready]
        trouble = next((one for one in troubles if one), None)
        return Arm(len(pods), sum(pod.ready for pod in pods), trouble)

    def _pod_refusal(self, version: str) -> str | None:
        """Say why the API server lets a version have no more pods, without the pod's chance name.

        A quota, a limit or a security standard refuses pods, not the Deployment that asks for them.
        """
        deployment = self.ours("Deployment", version)
        status = deployment.document.get("status") or {} if deployment is not None else {}
        for condition in status.get("conditions") or ():
            if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
                said = str(condition.get("message") or condition.get("reason"))
                return said.partition(" is forbidden: ")[2] or said
        return None

    def scale(self, version: str) -> int:
        """Pods that a version's Deployment asks for; 0 where it has none of ours."""
        deployment = self.ours("Deployment", version)
        if deployment is None:
            return 0
        return int((deployment.document.get("spec") or {}).get("replicas") or 0)

    def cadence(self, interval: float) -> Cadence:
        """Tell when a gate looks that does so every so many seconds."""
        return Cadence(interval, self.scrape, self.lag)

    def members(self, stable: str | None, candidate: str) -> dict[str, Member]:
        """Tell who answers for which arm: samples of any other pod or version are not counted.

        Where a label names versions, a version answers for itself, from its first pod on.
        """
        roles = {candidate: ArmRole.CANDIDATE} | ({stable: ArmRole.STABLE} if stable else {})
        found = {
            pod.name: Member(roles[pod.version], pod.created)
            for pod in self.pods
            if pod.version in roles
        }
        for version, role in roles.items():
            ages = [pod.created for pod in self.pods if pod.version == version]
            found[version] = Member(role, min(ages, default=self.now.timestamp()))
        return found

    @property
    def service_name(self) -> str:
        """Name of the agent's own Service."""
        service = self.agent.spec.traffic.service
        return (service.name if service else None) or self.name

    @property
    def agent_service(self) -> Child | None:
        """The agent's Service where it is ours: the fact who is stable."""
        return self.ours("Service", self.service_name)
