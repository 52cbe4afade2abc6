"""What may happen to an agent: people, pods, traffic, metrics and crashes, one act at a time."""

import copy
from collections.abc import Callable
from typing import Any

from tests.support.deeds import clues
from tests.support.drifting import registry
from tests.support.manifests import prompt
from tests.support.simulation import Simulation
from turnout.core.lineup import Place, Turn

OBJECTIVES = [{"name": "answers", "metric": "tasks", "target": "99%", "window": "6h"}]


def act(sim: Simulation, name: str, value: Any) -> int | None:
    """Let one thing happen; returns after how many writes the operator is killed next, if it is."""
    if name == "wait":
        sim.run(value)
    elif name == "operator":
        sim.restart()
        return value if isinstance(value, int) else None
    elif name in _ON_ROLLOUT:
        if sim.all("AgentRollout"):
            _ON_ROLLOUT[name](sim, value)
    else:
        _ACT[name](sim, value)
    return None


def _arm(sim: Simulation, arm: str) -> str:
    found = sim.status.get(arm) or {}
    if "version" in found:
        return str(found["version"])
    return sim.candidate if sim.all("AgentRollout") else "nobody"


def _quality(arm: str) -> Callable[[Simulation, float], None]:
    return lambda sim, share: sim.traffic.quality.update({_arm(sim, arm): share})


def _pods(arm: str) -> Callable[[Simulation, Any], None]:
    def pods(sim: Simulation, state: Any) -> None:
        sim.ready_at_most.pop(_arm(sim, arm), None)
        if state != "all":
            sim.ready_at_most[_arm(sim, arm)] = 0 if state == "none" else int(state)

    return pods


def _pods_of_next(sim: Simulation, state: str) -> None:
    sim.ready_at_most[f"v{len(sim.version_names) + 1}"] = 0


def _metrics(sim: Simulation, state: str) -> None:
    provider = sim.provider
    {"cut off": provider.cut_off, "stopped": provider.stop, "back": provider.come_back}[state]()


def _agent(sim: Simulation, spec: dict[str, Any]) -> None:
    sim.patch("Agent", sim.agent_name, {"spec": spec})


def _overwrite(sim: Simulation, weight: int) -> None:
    """Let somebody else write weights onto the route."""
    for route in sim.all("HTTPRoute"):
        changed = copy.deepcopy(route)
        names = {_arm(sim, "stable"): 100 - weight, _arm(sim, "candidate"): weight}
        changed["spec"]["rules"][0]["backendRefs"] = [
            {"kind": "Service", "name": name, "port": 8080, "weight": share}
            for name, share in names.items()
        ]
        sim.store(changed)


def _gateway(sim: Simulation, answer: str) -> None:
    status = str(answer == "accepts")
    condition = {"type": "Accepted", "status": status, "reason": "NotAllowedByListeners"}
    for route in sim.all("HTTPRoute"):
        sim.store(route | {"status": {"parents": [{"conditions": [condition]}]}})


def _forget(sim: Simulation, kind: str) -> None:
    for document in sim.all(kind):
        sim.store({**document, "status": {}})


def _delete(sim: Simulation, kind: str) -> None:
    for key in [key for key in sim.objects if key[0] == kind][:1]:
        del sim.objects[key]


def _unreadable(sim: Simulation, state: str) -> None:
    sim.unreadable = {("Prompt", "support-system"): "hiccup"} if state == "hidden" else {}


def _squat(sim: Simulation, taken: Any) -> None:
    """Let what stands under the candidate's names be something else, or be what it says."""
    sim.foreign = {_arm(sim, "candidate"): "it runs something else"} if taken else {}


def _queue(sim: Simulation, waits: Any) -> None:
    """Let it be the Agent's turn to begin a rollout, or not."""
    place = Place(3, 7, "3 of 3 rollouts run")
    sim.turn = Turn(may_begin=False, since=sim.now, place=place) if waits else None


def _pin(sim: Simulation, number: int | None) -> None:
    """Pin the agent to a version that ever was, or take the pin off."""
    known = sim.version_names[:number]
    _agent(sim, {"pinnedVersion": known[-1] if number and known else None})


def _tools(sim: Simulation, state: str) -> None:
    sim.tools_drift = "ToolRegistry tools: orders.find drifted" if state == "drifted" else None


def _registry(sim: Simulation, says: tuple[str, str | None]) -> None:
    sim.store(registry(*says))


def _fallback(sim: Simulation, number: int) -> None:
    """Name one of the versions that ever were, to stand in for one that does worse."""
    watch = {"onDrift": "Fallback", "fallbackVersion": sim.version_names[:number][-1]}
    if "watch" in sim.get("Agent", sim.agent_name)["spec"]["strategy"]:
        _agent(sim, {"strategy": {"watch": watch}})


def _promote(sim: Simulation, how: int | str) -> None:
    known = sim.rollout["spec"].get("promote", {})
    if how == "Full":
        sim.intend(promote={"mode": "Full", "by": "ada", "throughStep": None})
    elif known.get("mode") != "Full" and known.get("throughStep", 0) <= int(how):
        sim.intend(promote={"mode": "Step", "by": "ada", "throughStep": how})


def _approve(sim: Simulation, approval: tuple[str, str]) -> None:
    names = [step.get("name") for step in sim.rollout["spec"]["strategy"]["steps"]]
    if approval[0] in names:
        sim.approve(*approval)


_ON_ROLLOUT: dict[str, Callable[[Simulation, Any], None]] = {
    "pause": lambda sim, on: sim.intend(pause={"by": "ada"} if on else None),
    "abort": lambda sim, _: sim.intend(abort={"by": "ada"}),
    "promote": _promote,
    "approve": _approve,
    "retry": lambda sim, _: sim.intend(retry={"by": "ada"}),
    "acknowledge": lambda sim, _: sim.intend(acknowledge={"by": "ada"}),
}
_ACT: dict[str, Callable[[Simulation, Any], None]] = {
    "content": lambda sim, number: sim.store(prompt(f"text {number}")),
    "quality of stable": _quality("stable"),
    "quality of candidate": _quality("candidate"),
    "rate": lambda sim, rate: setattr(sim.traffic, "rate", rate),
    "uncounted": lambda sim, share: sim.traffic.uncounted.update({_arm(sim, "candidate"): share}),
    "pods of stable": _pods("stable"),
    "pods of candidate": _pods("candidate"),
    "metrics": _metrics,
    "pods of next": _pods_of_next,
    "settling": lambda sim, seconds: setattr(sim, "settles_in", seconds),
    "freeze": lambda sim, on: _agent(sim, {"paused": on}),
    "scale": lambda sim, replicas: _agent(sim, {"replicas": replicas}),
    "traffic": lambda sim, state: _agent(sim, {"traffic": {"state": state}}),
    "overwrite": _overwrite,
    "gateway": _gateway,
    "forget": _forget,
    "delete": _delete,
    "unreadable": _unreadable,
    "squat": _squat,
    "queue": _queue,
    "tools": _tools,
    "registry": _registry,
    "pin": _pin,
    "fallback": _fallback,
    "clues": lambda sim, found: setattr(sim.vigil, "clues", clues(**found)),
    "suites": lambda sim, phase: sim.suites.update(core=phase),
    "objectives": lambda sim, on: _agent(sim, {"objectives": OBJECTIVES if on else []}),
}
