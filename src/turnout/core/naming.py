"""Names, labels and annotations of everything the operator makes."""

from __future__ import annotations

from collections.abc import Mapping

MANAGER = "turnout"
"""Field manager of every write, and the value of the managed-by label."""

MANAGED_BY = "app.kubernetes.io/managed-by"
AGENT_LABEL = "turnout.dev/agent"
"""Stands on everything made for an Agent; its value is the Agent's name."""

TASK_LABEL = "turnout.dev/task"
"""Stands on every Job of ours and its pod; its value is the kind of the task."""

RUN_LABEL = "turnout.dev/eval-run"
"""Stands on everything made for an EvalRun; its value is the EvalRun's name."""

NONCE_HASH = "turnout.dev/nonce-hash"
"""Says on a Job which word it was given, as a hash."""

VERSION_LABEL = "turnout.dev/version"
MODE_LABEL = "turnout.dev/mode"

AGENT_UID = "turnout.dev/agent-uid"
CRD_UID = "turnout.dev/crd-uid"
DIGEST = "turnout.dev/digest"
RENDER = "turnout.dev/render"
ROLE = "turnout.dev/role"
STABLE_DIGEST = "turnout.dev/stable-digest"
STABLE_VERSION = "turnout.dev/stable-version"
DELETION_POLICY = "turnout.dev/deletion-policy"
KILL = "turnout.dev/kill"
KILL_REPEAT_AT = "turnout.dev/kill-repeat-at"

SHORTEST_HEX = 10
LONGEST_NAME = 63
"""What a label's value and a Service's name hold."""


def version_name(agent: str, digest: str, taken: Mapping[str, str]) -> str:
    """Name the version with this content.

    Args:
        agent: The Agent's name.
        digest: Full digest, ``sha256:`` and 64 hex digits.
        taken: Names of the agent's known versions, each with its full digest.

    Ten hex digits, two more for as long as another content already holds the name: a short
    prefix can be forged, so the full digest is what is compared.
    """
    hexes = digest.removeprefix("sha256:")
    lengths = range(SHORTEST_HEX, LONGEST_NAME - len(agent), 2)
    names = [f"{agent}-{hexes[:length]}" for length in lengths]
    return next((name for name in names if taken.get(name, digest) == digest), names[-1])


def rollout_name(agent: str, number: int) -> str:
    """Name a rollout, as in ``support-r14``."""
    return f"{agent}-r{number}"


def standing_order_name(agent: str) -> str:
    """Name the ConfigMap that tells new pods what is stopped: no version's name ends so."""
    return f"{agent}-kill"


def sandbox_name(version: str) -> str:
    """Name what a version runs in while it is evaluated: no version's name ends so."""
    return f"{version}-eval"


def labels(agent: str, version: str | None = None) -> dict[str, str]:
    """Labels of a child; the version's name where it belongs to one version."""
    made = {MANAGED_BY: MANAGER, AGENT_LABEL: agent}
    return made if version is None else made | {VERSION_LABEL: version}


def is_ours(metadata: Mapping[str, object], agent: str) -> bool:
    """Tell whether an object was made by the operator for this agent."""
    found = metadata.get("labels")
    if not isinstance(found, Mapping):
        return False
    return found.get(MANAGED_BY) == MANAGER and found.get(AGENT_LABEL) == agent
