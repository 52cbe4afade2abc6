"""What a story may expect: each word reads one thing that people see."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.support.simulation import Simulation
from turnout.core import naming
from turnout.simulation.cluster import Document

Names = Callable[[str], str]
Reader = Callable[[Simulation, Names, Any], Any]


def _weights(sim: Simulation, named: Names, expected: Mapping[str, int]) -> dict[str, int]:
    aliases = {named(alias): alias for alias in expected}
    return {aliases.get(name, name): weight for name, weight in sim.route().items()}


def _route_history(
    sim: Simulation, named: Names, expected: list[dict[str, int]]
) -> list[dict[str, int]]:
    """Read the last routes that were written, as many as are expected."""
    aliases = {named(alias): alias for weights in expected for alias in weights}
    return [
        {aliases.get(name, name): weight for name, weight in weights.items()}
        for _, weights in sim.weights[-len(expected) :]
    ]


def _shares(sim: Simulation, named: Names, expected: Mapping[str, int]) -> dict[str, int]:
    found = {alias: sim.shares().get(named(alias), 0.0) for alias in expected}
    return {alias: round(100 * share) for alias, share in found.items()}


def _replicas(sim: Simulation, named: Names, expected: Mapping[str, int]) -> dict[str, int]:
    found = {one["metadata"]["name"]: one["spec"]["replicas"] for one in sim.all("Deployment")}
    return {alias: found.get(named(alias), 0) for alias in expected}


def _conditions(
    sim: Simulation, expected: Mapping[str, str], of: Document | None = None
) -> dict[str, str]:
    """Read conditions as `True` or `True Reason`, as far as was asked."""
    read = {}
    for name, wanted in expected.items():
        found = sim.condition(name, of)
        words = [str(found["status"]), str(found.get("reason"))]
        read[name] = " ".join(words[: len(str(wanted).split())])
    return read


def _version_states(sim: Simulation, named: Names, expected: Mapping[str, str]) -> dict[str, Any]:
    statuses = {one["metadata"]["name"]: one.get("status", {}) for one in sim.all("AgentVersion")}
    return {alias: statuses.get(named(alias), {}).get("state", "absent") for alias in expected}


def _version_conditions(
    sim: Simulation, named: Names, expected: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    return {
        alias: _conditions(sim, wanted, sim.get("AgentVersion", named(alias)))
        for alias, wanted in expected.items()
    }


def _alias_of(sim: Simulation, named: Names, expected: Any, arm: str) -> Any:
    found = (sim.status.get(arm) or {}).get("version")
    return expected if expected not in {None, "none"} and found == named(expected) else found


def _within(text: str | None, expected: str) -> str | None:
    """Give what was expected back if the text contains it, else the text."""
    return expected if text is not None and expected in text else text


def _names(sim: Simulation, kind: str) -> list[str]:
    return sorted(one["metadata"]["name"] for one in sim.all(kind))


def _aliased(named: Names, aliases: list[str], names: list[str]) -> list[str]:
    known = {named(alias): alias for alias in aliases}
    return sorted(known.get(name, name) for name in names)


def _identity(sim: Simulation) -> str | None:
    """Read the CRD that all serving objects were made under; None where they differ."""
    kinds = ("HTTPRoute", "Service", "Deployment")
    notes = [one["metadata"]["annotations"] for kind in kinds for one in sim.all(kind)]
    found = {note[naming.CRD_UID] for note in notes}
    return found.pop() if len(found) == 1 else None


def _gate(sim: Simulation) -> Document:
    """Read what the gate says."""
    found: Document = sim.rollout["status"].get("gate", {})
    return found


def _reads(sim: Simulation) -> str | None:
    """Read which series of a profile the first metric reads."""
    metrics = _gate(sim).get("metrics", [{}])
    return f"{metrics[0].get('matched')}: {metrics[0].get('reads')}"


def _intents(sim: Simulation, named: Names, expected: Any) -> list[str]:
    lines = sim.rollout.get("status", {}).get("intents", [])
    return [f"{one['action']} {one['by']} {one['outcome']}" for one in lines]


def _drift(sim: Simulation, expected: str) -> str:
    """Read `Degraded Own`, as far as was asked."""
    found = sim.status.get("drift", {})
    words = [str(found.get("state", "absent")), str(found.get("attribution"))]
    return " ".join(words[: len(expected.split())])


def _baseline(sim: Simulation, version: str, expected: Mapping[str, str]) -> dict[str, str]:
    """Read the recorded shares, in whole percent."""
    known = sim.get("AgentVersion", version).get("status", {}).get("baseline", [])
    return {one["name"]: f"{100 * float(one['good']) / float(one['total']):.0f}%" for one in known}


READERS: dict[str, Reader] = {
    "phase": lambda sim, _, __: sim.status.get("phase"),
    "summary": lambda sim, _, text: _within(sim.status.get("summary"), text),
    "stable": lambda sim, named, alias: _alias_of(sim, named, alias, "stable"),
    "candidate": lambda sim, named, alias: _alias_of(sim, named, alias, "candidate") or "none",
    "desired": lambda sim, named, alias: _alias_of(sim, named, alias, "desired"),
    "weights": _weights,
    "shares": _shares,
    "route history": _route_history,
    "replicas": _replicas,
    "ready": lambda sim, named, many: {one: len(sim.ready_pods(named(one))) for one in many},
    "step": lambda sim, _, __: sim.rollout["status"]["step"].get("progress"),
    "rollout": lambda sim, _, __: sim.rollout["metadata"]["name"],
    "trigger": lambda sim, _, __: sim.rollout["spec"]["trigger"],
    "rollout phase": lambda sim, _, __: sim.rollout.get("status", {}).get("phase"),
    "reason": lambda sim, _, __: sim.rollout.get("status", {}).get("reason"),
    "message": lambda sim, _, text: _within(sim.rollout.get("status", {}).get("message"), text),
    "conditions": lambda sim, _, wanted: _conditions(sim, wanted),
    "rollout conditions": lambda sim, _, wanted: _conditions(sim, wanted, sim.rollout),
    "objectives": lambda sim, _, __: {
        one["name"]: one["state"] for one in sim.status.get("objectives", [])
    },
    "drift": lambda sim, _, wanted: _drift(sim, wanted),
    "drift message": lambda sim, _, text: _within(sim.status.get("drift", {}).get("message"), text),
    "baseline": lambda sim, named, many: {
        alias: _baseline(sim, named(alias), wanted) for alias, wanted in many.items()
    },
    "frozen": lambda sim, _, __: [
        one["name"] for one in sim.status.get("objectives", []) if one["newRollouts"] == "Frozen"
    ],
    "spent": lambda sim, _, __: {
        one["objective"]: one["spent"] for one in _gate(sim).get("budget", [])
    },
    "verdict": lambda sim, _, __: _gate(sim).get("verdict"),
    "reads": lambda sim, _, text: _within(_reads(sim), text),
    "unit": lambda sim, _, __: sim.rollout["status"]["gate"]["metrics"][0].get("unit"),
    "intents": _intents,
    "versions": _version_states,
    "version conditions": _version_conditions,
    "told": lambda sim, _, __: sim.told(),
    "rollouts": lambda sim, _, __: _names(sim, "AgentRollout"),
    "services": lambda sim, named, names: _aliased(named, names, _names(sim, "Service")),
    "identities": lambda sim, _, __: _identity(sim),
    "contents": lambda sim, named, many: {
        alias: ("ConfigMap", named(alias)) in sim.objects for alias in many
    },
}
"""Every word that a story may expect."""
