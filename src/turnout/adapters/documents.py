"""The kinds that Turnout reads and writes, and how one object of them is named.

A document is what the API server sends: plain JSON dicts and lists. The client's models are
never used: they drop fields that they do not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from typing_extensions import override

from turnout.core.naming import AGENT_LABEL, TASK_LABEL

Document: TypeAlias = Mapping[str, Any]
"""One object as JSON, never changed in place."""

JSON: Final = "application/json"
METADATA_LIST: Final = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

FIELD_MANAGER: Final = "turnout"
"""Who owns the fields that Turnout applies."""


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """A resource of the API server, as much of discovery as a client needs."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The value of a manifest's `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """The resource as a role names it: "deployments.apps", "services"."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Return the URL path of an object, or of the collection where no name is given."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One object. Namespace is "" where the kind has none."""

    kind: Kind
    namespace: str
    name: str

    @override
    def __str__(self) -> str:
        scope = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind.kind} {scope}{self.name}"

    @property
    def path(self) -> str:
        """The URL path of the object."""
        return self.kind.path(self.namespace or None, self.name)


def _turnout(plural: str, kind: str) -> Kind:
    return Kind("turnout.dev", "v1alpha1", plural, kind)


AGENT: Final = _turnout("agents", "Agent")
PROMPT: Final = _turnout("prompts", "Prompt")
TOOL_REGISTRY: Final = _turnout("toolregistries", "ToolRegistry")
AGENT_POLICY: Final = _turnout("agentpolicies", "AgentPolicy")
ROLLOUT_STRATEGY: Final = _turnout("rolloutstrategies", "RolloutStrategy")
METRIC_TEMPLATE: Final = _turnout("metrictemplates", "MetricTemplate")
EVAL_SUITE: Final = _turnout("evalsuites", "EvalSuite")
AGENT_VERSION: Final = _turnout("agentversions", "AgentVersion")
AGENT_ROLLOUT: Final = _turnout("agentrollouts", "AgentRollout")
EVAL_RUN: Final = _turnout("evalruns", "EvalRun")

DEPLOYMENT: Final = Kind("apps", "v1", "deployments", "Deployment")
SERVICE: Final = Kind("", "v1", "services", "Service")
CONFIG_MAP: Final = Kind("", "v1", "configmaps", "ConfigMap")
POD: Final = Kind("", "v1", "pods", "Pod")
JOB: Final = Kind("batch", "v1", "jobs", "Job")
SERVICE_ACCOUNT: Final = Kind("", "v1", "serviceaccounts", "ServiceAccount")
NETWORK_POLICY: Final = Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
HTTP_ROUTE: Final = Kind("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
EVENT: Final = Kind("events.k8s.io", "v1", "events", "Event")
LEASE: Final = Kind("coordination.k8s.io", "v1", "leases", "Lease")
NAMESPACE: Final = Kind("", "v1", "namespaces", "Namespace", namespaced=False)
CUSTOM_RESOURCE_DEFINITION: Final = Kind(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False
)
POLICY_BINDING: Final = Kind(
    "admissionregistration.k8s.io",
    "v1",
    "validatingadmissionpolicybindings",
    "ValidatingAdmissionPolicyBinding",
    False,
)

OWN_KINDS: Final = (
    AGENT,
    PROMPT,
    TOOL_REGISTRY,
    AGENT_POLICY,
    ROLLOUT_STRATEGY,
    METRIC_TEMPLATE,
    EVAL_SUITE,
    AGENT_VERSION,
    AGENT_ROLLOUT,
    EVAL_RUN,
)
"""Kinds of our group."""

LOOKED_AT: Final = frozenset(OWN_KINDS) - {AGENT_VERSION, AGENT_ROLLOUT}
"""Kinds that are decided about one by one; versions and rollouts are their Agent's."""

CHILD_KINDS: Final = (DEPLOYMENT, SERVICE, CONFIG_MAP, POD, HTTP_ROUTE)
"""Kinds made for an Agent, known by the label AGENT_LABEL and watched by it.

Only ConfigMaps are watched without it, since a Prompt may name any of its namespace.
"""

WATCHED_KINDS: Final = (*OWN_KINDS, *CHILD_KINDS, JOB)
"""Everything that the operator keeps a picture of."""

BY_TYPE: Final[Mapping[tuple[str, str], Kind]] = MappingProxyType(
    {
        (kind.api_version, kind.kind): kind
        for kind in (
            *WATCHED_KINDS,
            SERVICE_ACCOUNT,
            NETWORK_POLICY,
            EVENT,
            LEASE,
            NAMESPACE,
            CUSTOM_RESOURCE_DEFINITION,
            POLICY_BINDING,
        )
    }
)
"""Every known kind by a manifest's `apiVersion` and `kind`."""


def selector(kind: Kind) -> str:
    """Return the label selector that narrows reads of this kind on the server."""
    if kind == JOB:
        return TASK_LABEL
    return AGENT_LABEL if kind in CHILD_KINDS and kind != CONFIG_MAP else ""


def accepted_media(kind: Kind, *, whole_list: bool) -> str:
    """Return what a list or watch of this kind asks for.

    A ConfigMap may belong to anybody and hold a megabyte, so only metadata is ever asked for.
    """
    if kind != CONFIG_MAP:
        return JSON
    return METADATA_LIST if whole_list else f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


def ref_of(document: Document, kind: Kind | None = None) -> Ref:
    """Name a document; items of a list carry no type, so their kind is given.

    Raises:
        KeyError: It has no name, or a type that Turnout does not know.
    """
    known = kind or BY_TYPE[document["apiVersion"], document["kind"]]
    metadata = document["metadata"]
    return Ref(known, metadata.get("namespace") or "", metadata["name"])


def version_of(document: Document) -> str:
    """Return the resourceVersion that guards a write to what was read."""
    return str(document["metadata"]["resourceVersion"])
