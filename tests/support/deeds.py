"""What may happen in a story: people, pods, traffic, metrics, the gateway and the operator."""

import copy
from collections.abc import Callable
from typing import Any

from tests.support.drifting import registry
from tests.support.manifests import prompt
from tests.support.simulation import Simulation
from turnout.api.base import seconds
from turnout.api.drift import ModelChange, ToolTrouble
from turnout.core.clues import Clues
from turnout.core.watching import Peers
from turnout.simulation.cluster import Document

Names = Callable[[str], str]
Deed = Callable[[Simulation, Names, Any], None]


def fraction(text: str | float) -> float:
    return float(str(text).removesuffix("%")) / 100


def _person(who: Any) -> Document:
    return {"by": who} if isinstance(who, str) else dict(who)


def _quality(sim: Simulation, named: Names, shares: Document) -> None:
    """Set the share of good answers by version, or by metric and version."""
    for key, value in shares.items():
        if isinstance(value, dict):
            for version, share in value.items():
                sim.traffic.by_metric[key, named(version)] = fraction(share)
        else:
            sim.traffic.quality[named(key)] = fraction(value)


def _costs(sim: Simulation, named: Names, amounts: Document) -> None:
    """Set what each answer costs, by metric and version; it swings by a third."""
    for metric, by_version in amounts.items():
        for version, amount in by_version.items():
            sim.traffic.by_metric[metric, named(version)] = amount
            sim.traffic.scattered.add(metric)


def _pods(sim: Simulation, named: Names, ready: Document) -> None:
    """Say how many pods of a version can be ready: all, none, lost or a number."""
    for version, how_many in ready.items():
        name = named(version)
        if how_many == "all":
            sim.ready_at_most.pop(name, None)
        elif how_many == "lost":
            sim.lose_pods(name)
        else:
            sim.ready_at_most[name] = 0 if how_many == "none" else int(how_many)


def _metrics(sim: Simulation, named: Names, state: str) -> None:
    provider = sim.provider
    {"cut off": provider.cut_off, "stopped": provider.stop, "back": provider.come_back}[state]()


def _route(sim: Simulation, named: Names, weights: Document) -> None:
    """Let somebody else overwrite the weights of the agent's route, as a GitOps tool does."""
    route = copy.deepcopy(sim.get("HTTPRoute", sim.agent_name))
    for rule in route["spec"]["rules"]:
        rule["backendRefs"] = [
            {"kind": "Service", "name": named(version), "port": 8080, "weight": weight}
            for version, weight in weights.items()
        ]
    sim.store(route)


def _gateway(sim: Simulation, named: Names, refusal: str) -> None:
    """Let the gateway accept the route, or refuse it with a reason."""
    accepted = {"type": "Accepted", "status": "True", "reason": "Accepted"}
    refused = {"type": "Accepted", "status": "False", "reason": refusal, "message": "not by me"}
    conditions = [accepted if refusal == "accepts" else refused]
    route = copy.deepcopy(sim.get("HTTPRoute", sim.agent_name))
    route["status"] = {"parents": [{"conditions": conditions}]}
    sim.store(route)


def _forget(sim: Simulation, named: Names, kinds: list[str]) -> None:
    """Lose every status of these kinds, as a restored backup does."""
    for kind in kinds:
        for document in sim.all(kind):
            document.pop("status", None)
            sim.store(document)


def _delete(sim: Simulation, named: Names, things: list[str]) -> None:
    """Delete objects: a Kind takes all of them, Kind/name one; a version may go by its alias."""
    for thing in things:
        kind, _, name = thing.partition("/")
        for key in [key for key in sim.objects if key[0] == kind]:
            if not name or key[1] == named(name):
                del sim.objects[key]


def _approve(sim: Simulation, named: Names, approval: Document) -> None:
    sim.approve(approval["step"], approval["by"])


def _apply(sim: Simulation, named: Names, documents: list[Document]) -> None:
    for document in documents:
        sim.store(document)


def _patch(sim: Simulation, named: Names, patches: Document) -> None:
    for thing, patch in patches.items():
        kind, _, name = thing.partition("/")
        sim.patch(kind, named(name), patch)


def _unreadable(sim: Simulation, named: Names, things: Document) -> None:
    """Let objects be there that cannot be taken."""
    keys = {thing: thing.partition("/") for thing in things}
    sim.unreadable = {(kind, name): things[thing] for thing, (kind, _, name) in keys.items()}


def _rename(sim: Simulation, named: Names, names: Document) -> None:
    """Let an object stand under another name, as if it had always been there."""
    for thing, name in names.items():
        kind, _, old = thing.partition("/")
        document = sim.objects.pop((kind, old))
        sim.store({**document, "metadata": {"name": named(name)}})


def _override(sim: Simulation, named: Names, word: Document) -> None:
    """Let a person let a version go out: one that was, or the desired one."""
    version = word["version"]
    desired = sim.status["desired"]["version"]
    word = word | {"version": desired if version == "desired" else named(version)}
    sim.patch("Agent", sim.agent_name, {"spec": {"budgetOverride": word}})


def _registry(sim: Simulation, named: Names, says: Document) -> None:
    """Let the tool be written so, and its server tell it so: null is gone."""
    sim.store(registry(**says))


def _sleep(sim: Simulation, named: Names, how_long: str) -> None:
    """Let time pass without the operator."""
    sim.serve(seconds(how_long))


def _set(attribute: str) -> Deed:
    def deed(sim: Simulation, named: Names, value: Any) -> None:
        setattr(sim, attribute, value)

    return deed


def _falling_back(version: str) -> Document:
    return {"onDrift": "Fallback", "fallbackVersion": version}


def clues(tools: Document | None = None, model: Document | None = None) -> Clues:
    """Find tools by their shares of failures before and now, and another model."""
    rows = (
        ToolTrouble(name=name, recorded=was, measured=now)
        for name, (was, now) in (tools or {}).items()
    )
    return Clues(tuple(rows), None if model is None else ModelChange.model_validate(model))


DEEDS: dict[str, Deed] = {
    "prompt": lambda sim, _, text: sim.store(prompt(text)),
    "agent": lambda sim, _, spec: sim.patch("Agent", sim.agent_name, {"spec": spec}),
    "pin": lambda sim, named, version: sim.patch(
        "Agent", sim.agent_name, {"spec": {"pinnedVersion": version and named(version)}}
    ),
    "override": _override,
    "scale": lambda sim, _, to: sim.patch("Agent", sim.agent_name, {"spec": {"replicas": to}}),
    "registry": _registry,
    "apply": _apply,
    "patch": _patch,
    "delete": _delete,
    "forget": _forget,
    "pause": lambda sim, _, who: sim.intend(pause=_person(who)),
    "resume": lambda sim, _, who: sim.intend(pause=None),
    "abort": lambda sim, _, who: sim.intend(abort=_person(who)),
    "promote": lambda sim, _, how: sim.intend(promote=how),
    "retry": lambda sim, _, who: sim.intend(retry=_person(who)),
    "acknowledge": lambda sim, _, who: sim.intend(acknowledge=_person(who)),
    "approve": _approve,
    "quality": _quality,
    "costs": _costs,
    "uncounted": lambda sim, named, lost: sim.traffic.uncounted.update(
        {named(version): fraction(share) for version, share in lost.items()}
    ),
    "rate": lambda sim, _, rate: setattr(sim.traffic, "rate", float(rate)),
    "pods": _pods,
    "trouble": lambda sim, named, why: sim.trouble.update({named(v): w for v, w in why.items()}),
    "refused": lambda sim, named, why: sim.refused.update({named(v): w for v, w in why.items()}),
    "metrics": _metrics,
    "others": lambda sim, _, many: setattr(sim.vigil, "peers", Peers(**many)),
    "fallback": lambda sim, named, version: sim.patch(
        "Agent", sim.agent_name, {"spec": {"strategy": {"watch": _falling_back(named(version))}}}
    ),
    "clues": lambda sim, _, found: setattr(sim.vigil, "clues", clues(**found)),
    "suites": lambda sim, _, ends: sim.suites.update(ends),
    "absent": lambda sim, _, names: setattr(sim.provider, "absent", set(names)),
    "exports": lambda sim, named, by: setattr(
        sim, "exports", {option: {named(v) for v in versions} for option, versions in by.items()}
    ),
    "unnamed": lambda sim, _, names: setattr(sim.provider, "unnamed", set(names)),
    "unreadable": _unreadable,
    "route": _route,
    "gateway": _gateway,
    "operator": lambda sim, _, what: {"restarts": sim.restart}[what](),
    "rename": _rename,
    "asleep": _sleep,
    "forbidden": _set("forbidden"),
    "foreign": lambda sim, named, why: setattr(sim, "foreign", {named(v): why[v] for v in why}),
    "approvals protected": _set("approvals_protected"),
    "routes served": _set("routes_served"),
    "tools drift": _set("tools_drift"),
    "settles in": _set("settles_in"),
    "crd uid": _set("crd_uid"),
}
"""Every deed that a story may name."""
