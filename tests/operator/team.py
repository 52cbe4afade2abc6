"""One team's namespace: its agent, and the people who work on it with kubectl."""

import itertools
import json
from typing import Any, Final

from devcluster import Cluster
from tests.operator.stage import APPROVERS, EDITOR, approval
from tests.support.api import Document
from tests.support.kubectl import PATIENCE, Kubectl, eventually
from tests.support.manifests import agent, everything, strategy
from turnout.adapters.documents import NAMESPACE

AGENTS: Final = "agents.turnout.dev"
PROMPTS: Final = "prompts.turnout.dev"
ROLLOUTS: Final = "agentrollouts.turnout.dev"
VERSIONS: Final = "agentversions.turnout.dev"
ROUTES: Final = "httproutes.gateway.networking.k8s.io"
DEPLOYMENTS: Final = "deployments.apps"
NAME: Final = "support"

QUICK_GATE: Final[dict[str, Any]] = agent()["spec"]["gate"] | {
    "interval": "5s",
    "failures": {"count": 2, "of": 3},
    "successes": 1,
}
"""A gate that fails after two windows of five seconds and passes after one."""

UNTIL_PROMOTED: Final[list[dict[str, Any]]] = [{"setWeight": 25}, {"pause": {}}]
"""Steps that stay where a test can look at them."""

_OF: Final = "kubernetes.io/service-name="

_counted = itertools.count(1)


class Team:
    """A namespace with the agent `support` in it."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.namespace = namespace
        self.admin = Kubectl(cluster, namespace)
        self.ada = Kubectl(cluster, namespace, f"--as={EDITOR}")
        self.bo, self.cy = (Kubectl(cluster, namespace, f"--as={one}") for one in APPROVERS)

    # what people do

    def deploys(self, *more: Document, **spec: Any) -> str:
        """Apply an agent and all it refers to; returns its first version once that is stable."""
        steps = spec.pop("steps", UNTIL_PROMOTED)
        chosen = {"strategy": strategy(steps, scaleDownDelay="1s"), "gate": QUICK_GATE} | spec
        self.ada.apply(*everything(**chosen), *more)
        stable: str = self.await_phase("Healthy")["stable"]["version"]
        return stable

    def changes_prompt(self, text: str) -> str:
        """Change the prompt; returns the name of the rollout that this begins."""
        seen = self.newest_rollout()
        self.ada.patch(PROMPTS, "support-system", {"spec": {"text": text}})
        return self.await_rollout_after(seen)

    def changes_rollout(self, who: Kubectl, name: str, **spec: Any) -> None:
        """Patch a rollout's intent."""
        who.patch(ROLLOUTS, name, {"spec": spec})

    def changes_agent(self, **spec: Any) -> None:
        self.ada.patch(AGENTS, NAME, {"spec": spec})

    def approves(self, who: Kubectl, name: str, step: str, by: str) -> None:
        who.run("patch", ROLLOUTS, name, "--type=json", "-p", approval(step, by))

    # what they see

    def agent(self) -> Document:
        return self.admin.status(AGENTS, NAME)

    def rollout(self, name: str) -> Document:
        return self.admin.status(ROLLOUTS, name)

    def version(self, name: str) -> Document:
        return self.admin.status(VERSIONS, name)

    def candidate_of(self, rollout: str) -> str:
        """Name the version that a rollout is about."""
        found = self.admin.get(ROLLOUTS, rollout)
        assert found is not None
        version: str = found["spec"]["to"]["version"]
        return version

    def newest_rollout(self) -> str | None:
        found = sorted(self.admin.list(ROLLOUTS), key=lambda one: one["spec"]["number"])
        return found[-1]["metadata"]["name"] if found else None

    def await_rollout_after(self, seen: str | None, timeout: float = PATIENCE) -> str:
        def newer() -> str | None:
            newest = self.newest_rollout()
            return newest if newest != seen else None

        return eventually(f"a rollout after {seen}", newer, timeout)

    def await_phase(self, phase: str, timeout: float = PATIENCE) -> Document:
        return self.admin.await_phase(phase, NAME, timeout)

    def await_rollout(self, name: str, phase: str, timeout: float = PATIENCE) -> Document:
        def reached() -> Document | None:
            status = self.rollout(name)
            return status if status.get("phase") == phase else None

        found = eventually(f"{name} is {phase}", reached, timeout)
        assert isinstance(found, dict)
        return found

    def await_weight(self, version: str, weight: int, timeout: float = PATIENCE) -> None:
        eventually(
            f"{version} has weight {weight}",
            lambda: self.admin.weights(NAME).get(version, 0) == weight,
            timeout,
        )

    def await_weights(self, weights: dict[str, int]) -> None:
        """Wait until the route says this: it is written after the record of a rollout."""
        eventually(f"the weights are {weights}", lambda: self.admin.weights(NAME) == weights)

    def endpoints(self, service: str) -> list[str]:
        """Return the addresses that a Service leads to now."""
        out = self.admin.run("get", "endpointslices", "-l", _OF + service, "-o", "json")
        slices = json.loads(out)["items"]
        return [
            address
            for one in slices
            for endpoint in one.get("endpoints") or ()
            for address in endpoint["addresses"]
        ]

    def condition(self, kind: str, resource: str = AGENTS, name: str = NAME) -> Document:
        """Return a condition; empty where there is none of this kind."""
        found = self.admin.status(resource, name).get("conditions") or ()
        return next((one for one in found if one["type"] == kind), {})

    def intents(self, rollout: str) -> list[tuple[str, str, str]]:
        """Return the audit lines of a rollout: what, by whom, what became of it."""
        lines = self.rollout(rollout).get("intents") or ()
        return [(one["action"], one["by"], one["outcome"]) for one in lines]

    def events(self) -> list[Document]:
        """Return the Events about the agent, oldest first."""
        out = json.loads(self.admin.run("get", "events.events.k8s.io", "-o", "json"))
        about = [one for one in out["items"] if one["regarding"]["kind"] == "Agent"]
        return sorted(about, key=lambda one: str(one["eventTime"]))


def new_team(cluster: Cluster, word: str = "team") -> Team:
    """Make a namespace that was never used before."""
    team = Team(cluster, f"{word}-{next(_counted):04d}")
    team.admin.api.create(NAMESPACE.path(), {"metadata": {"name": team.namespace}})
    return team
