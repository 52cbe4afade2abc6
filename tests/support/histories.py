"""Histories: anything that people, pods, traffic, metrics and crashes may do to an agent."""

import copy
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.support.acts import act
from tests.support.drifting import registry
from tests.support.manifests import GATE, everything, strategy
from tests.support.simulation import Simulation

_Sim = TypeVar("_Sim", bound=Simulation)

Act = tuple[str, Any]
Gate = tuple[tuple[str, Any], ...]
SHARES = (0.0, 0.5, 0.95, 1.0)
STEPS: tuple[list[dict[str, Any]], ...] = (
    [{"setWeight": 25}, {"pause": {"duration": "20s"}}, {"setWeight": 50}],
    [{"setWeight": 50}],
    [{"setWeight": 10}, {"pause": {}}, {"setWeight": 40}],
    [
        {"evaluate": {"suites": ["core", "more"]}},
        {"pause": {"duration": "20s"}},
        {"evaluate": {"suites": ["late"], "onInconclusive": "Rollback"}},
        {"setWeight": 30},
        {"pause": {"duration": "20s"}},
    ],
    [
        {"setWeight": 20},
        {"name": "ship", "approve": {"timeout": "3m", "onTimeout": "Rollback"}},
        {"name": "again", "approve": {"minApprovals": 2, "timeout": "2m"}},
    ],
)
IN_STEP = ("Find an order.", "Find an order.")
REWORDED = ("Find it.", "Find it.")
DRIFTED = ("Find it.", "Find an order.")
BACK = ("Find an order.", "Find it.")
CHOICES: dict[str, tuple[Any, ...]] = {
    "wait": (2, 10, 10, 30, 30, 60, 60, 180, 600),
    "content": (0, 1, 2, 3),
    "quality of stable": SHARES,
    "quality of candidate": SHARES,
    "rate": (0.0, 0.3, 10.0, 10.0),
    "uncounted": (0.9, 0.0, 0.0),
    "pods of stable": ("all", "all", "none", 1),
    "pods of candidate": ("all", "all", "none", 1),
    "metrics": ("cut off", "stopped", "back", "back"),
    "pause": (True, False),
    "abort": (True,),
    "promote": (1, 2, 3, "Full"),
    "approve": (("ship", "ada"), ("ship", "bob"), ("again", "ada"), ("again", "bob")),
    "retry": (True,),
    "acknowledge": (True,),
    "freeze": (True, False, False),
    "scale": (0, 1, 3),
    "traffic": ("Stopped", "Serving", "Serving"),
    "overwrite": (0, 30, 100),
    "gateway": ("accepts", "refuses", "accepts"),
    "forget": ("Agent", "AgentRollout", "AgentVersion"),
    "delete": ("Deployment", "Service", "HTTPRoute", "AgentVersion", "EvalRun"),
    "suites": ("Passed", "Failed", "Inconclusive", "Running"),
    "unreadable": ("hidden", "shown", "shown"),
    "squat": (True, False, False),
    "queue": (True, False, False),
    "pin": (1, 2, None, None),
    "tools": ("drifted", "back", "back"),
    "registry": (IN_STEP, REWORDED, DRIFTED, ("Find it.", None), BACK),
    "pods of next": ("none",),
    "operator": ("restarts", 0, 1, 2, 3),
    "objectives": (True, False),
    "fallback": (1, 2),
    "clues": (
        {},
        {"tools": {"refund": ["1.0%", "40.0%"]}},
        {"model": {"before": "gpt-x-1", "now": "gpt-x-2", "since": "2026-01-01T12:00:00Z"}},
    ),
}
"""Every act with what may be chosen for it."""

LIKELY = {"wait": 8, "content": 3, "quality of candidate": 2}

STRICT: Gate = (("maxDuration", "2m"), ("onInconclusive", "Rollback"))
LENIENT: Gate = (("maxDuration", "2m"), ("onInconclusive", "PromoteIfHealthy"))
SLOW: Gate = (("maxDuration", "1m"), ("warmup", "10s"), ("minDuration", "40s"))
HOLDING: Gate = (("hold", True),)
FREEZING: Gate = (("errorBudget", {"freezeBelow": "100%"}),)
EVIDENCE: Gate = (
    ("mode", "Statistical"),
    ("failures", None),
    ("successes", None),
    ("minRequests", None),
    ("minDuration", "1m"),
)
GATES: tuple[Gate, ...] = ((), STRICT, LENIENT, SLOW, HOLDING, EVIDENCE)
WATCHES: tuple[dict[str, str] | None, ...] = (None, None, {"bake": "30s"}, {"holdback": "20%"})

ROLLOUT: tuple[Act, ...] = (("content", 1),)
STABLE_DEAD: tuple[Act, ...] = (("pods of stable", "none"), ("wait", 180))
REWRITTEN: tuple[Act, ...] = (("wait", 10), ("registry", REWORDED), ("promote", "Full"))
FLAPPED: tuple[Act, ...] = (
    *REWRITTEN,
    ("registry", DRIFTED),
    ("wait", 60),
    ("registry", REWORDED),
    ("promote", "Full"),
)
BURNING: tuple[Act, ...] = (
    ("objectives", True),
    *ROLLOUT,
    ("quality of stable", 0.5),
    ("quality of candidate", 0.5),
    ("wait", 180),
)
CAPPED: Gate = (
    ("errorBudget", {"maxBudgetSpend": "0.1%", "pauseOnBurn": []}),
    ("failures", {"count": 20, "of": 20}),
)
TOLERANT: Gate = (
    ("mode", "Statistical"),
    ("failures", None),
    ("successes", None),
    ("errorBudget", {"maxBudgetSpend": "0.1%", "pauseOnBurn": []}),
    ("metrics", [GATE["metrics"][0] | {"minimum": None, "maxRegression": "90%"}]),
)
OVERSPENT: tuple[Act, ...] = (
    ("objectives", True),
    *ROLLOUT,
    ("quality of candidate", 0.5),
    ("wait", 60),
)
REPLACED: tuple[Act, ...] = (
    *ROLLOUT,
    ("promote", "Full"),
    ("wait", 2400),
    ("fallback", 1),
)
DEGRADED: tuple[Act, ...] = (("wait", 2400), ("quality of stable", 0.5), ("wait", 300))
SPENT: tuple[Act, ...] = (("objectives", True), ("quality of stable", 0.9), ("wait", 180))
WORSE: tuple[Act, ...] = (*ROLLOUT, ("quality of candidate", 0.5))


@dataclass(frozen=True)
class Scene:
    """A way into a corner: what happens first, and what happens last, not yet seen.

    Attributes:
        acts: What happens and is seen.
        last: What has just happened.
        asleep: Seconds that then passed without the operator.
        gate: The gate, where it matters.
        watch: The watch, where it matters; with one there is a gateway, which it needs.
    """

    acts: tuple[Act, ...] = ()
    last: Act | None = None
    asleep: float = 0.0
    gate: Gate | None = None
    watch: dict[str, str] | None = None


SCENES: tuple[Scene, ...] = (
    Scene(),
    Scene(last=("content", 1)),
    Scene(ROLLOUT),
    Scene(ROLLOUT, asleep=30),
    Scene((*ROLLOUT, ("wait", 180))),
    Scene(WORSE, asleep=60, gate=()),
    Scene(WORSE, asleep=60, gate=HOLDING),
    Scene((("rate", 0.0), *ROLLOUT), asleep=180, gate=()),
    Scene((("rate", 0.0), *ROLLOUT), asleep=180, gate=STRICT),
    Scene((("rate", 0.0), *ROLLOUT), asleep=180, gate=LENIENT),
    Scene((*ROLLOUT, ("uncounted", 0.9), ("wait", 180)), gate=EVIDENCE, watch={}),
    Scene((("pods of next", "none"), *ROLLOUT, ("wait", 30)), asleep=180),
    Scene((*ROLLOUT, ("wait", 10)), ("metrics", "cut off"), 10),
    Scene(ROLLOUT, ("pods of candidate", "none")),
    Scene(ROLLOUT, ("pods of stable", "none")),
    Scene((*STABLE_DEAD, ("pods of next", "none"), *ROLLOUT), ("pods of candidate", "all")),
    Scene(STABLE_DEAD, ("content", 1)),
    Scene(ROLLOUT, ("squat", True)),
    Scene(ROLLOUT, ("gateway", "refuses")),
    Scene(ROLLOUT, ("gateway", "refuses"), watch={}),
    Scene(ROLLOUT, ("tools", "drifted")),
    Scene(BURNING, gate=()),
    Scene(OVERSPENT, gate=CAPPED),
    Scene(OVERSPENT[:-1], asleep=60, gate=TOLERANT),
    Scene(SPENT, ("content", 1), gate=FREEZING),
    Scene(ROLLOUT, ("pause", True)),
    Scene(ROLLOUT, ("traffic", "Stopped")),
    Scene(ROLLOUT, ("abort", True)),
    Scene(ROLLOUT, ("content", 2)),
    Scene(ROLLOUT, ("promote", "Full")),
    Scene((("scale", 0), *ROLLOUT)),
    Scene((*ROLLOUT, ("promote", "Full")), ("forget", "AgentRollout")),
    Scene((*ROLLOUT, ("abort", True))),
    Scene((*ROLLOUT, ("abort", True)), ("retry", True)),
    Scene((("freeze", True),), ("content", 1)),
    Scene(last=("unreadable", "hidden")),
    Scene((("settling", 0.3),), ("content", 3)),
    Scene((("queue", True),), ("content", 1)),
    Scene((*ROLLOUT, ("promote", "Full")), ("pin", 1)),
    Scene(REWRITTEN, ("registry", DRIFTED)),
    Scene((*REWRITTEN, ("registry", DRIFTED), ("wait", 60))),
    Scene(DEGRADED, watch={}),
    Scene((*REPLACED, ("quality of stable", 0.5), ("wait", 300)), watch={}),
    Scene((*REPLACED, ("quality of stable", 0.5), ("wait", 60)), watch={}),
    Scene(FLAPPED, ("registry", DRIFTED), watch={}),
    Scene((*FLAPPED, ("registry", DRIFTED)), watch={"flapWindow": "1h"}),
)
"""Corners of the space of worlds that chance alone would rarely come to."""


@dataclass(frozen=True)
class History:
    """An agent, and what happens to it."""

    steps: int
    mode: str
    gate: Gate
    on_pass: str
    watch: dict[str, str] | None
    scene: Scene
    acts: tuple[Act, ...]


_ACTS = [name for name in CHOICES for _ in range(LIKELY.get(name, 1))]
_MODES = ("HTTPRoute", "HTTPRoute", "ReplicaRatio")
_ON_PASS = ("Continue", "Promote")


def histories(longest: int) -> st.SearchStrategy[History]:
    """Generate histories: a scene, then at most so many acts."""
    one = st.sampled_from(_ACTS).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(CHOICES[name]))
    )
    return st.builds(
        History,
        steps=st.integers(0, len(STEPS) - 1),
        mode=st.sampled_from(_MODES),
        gate=st.sampled_from(GATES),
        on_pass=st.sampled_from(_ON_PASS),
        watch=st.sampled_from(WATCHES),
        scene=st.sampled_from(SCENES),
        acts=st.lists(one, max_size=longest).map(tuple),
    )


def draw_history(random: Random, length: int) -> History:
    """Draw one history of a seeded sample."""
    names = [random.choice(_ACTS) for _ in range(length)]
    return History(
        steps=random.randrange(len(STEPS)),
        mode=random.choice(_MODES),
        gate=random.choice(GATES),
        on_pass=random.choice(_ON_PASS),
        watch=random.choice(WATCHES),
        scene=random.choice(SCENES),
        acts=tuple((name, random.choice(CHOICES[name])) for name in names),
    )


def live(history: History, make: type[_Sim]) -> _Sim:
    """Live through a history, the operator looking after everything that happens."""
    sim = set_the_scene(history, make)
    for name, value in history.acts:
        see(sim, name, value)
    return sim


def set_the_scene(history: History, make: type[_Sim]) -> _Sim:
    """Begin a history: the agent, and the scene up to what has not been seen yet."""
    scene = history.scene
    sim = make(_documents(history))
    sim.settle()
    for name, value in scene.acts:
        see(sim, name, value)
    if scene.last is not None:
        act(sim, *scene.last)
        sim.kubelet()
    sim.serve(scene.asleep)
    return sim


def see(sim: Simulation, name: str, value: Any) -> None:
    """Let one thing happen, and the operator make of it what it can."""
    sim.settles_in = 0.0
    killed_after = act(sim, name, value)
    sim.kubelet()
    if killed_after is not None:
        sim.reconcile(stop_after=killed_after)
    sim.settle()


def _documents(history: History) -> list[dict[str, Any]]:
    chosen = history.gate if history.scene.gate is None else history.scene.gate
    gate = copy.deepcopy(GATE) | {key: value for key, value in chosen if key != "hold"}
    if chosen == HOLDING:
        gate["metrics"][0]["onRegression"] = "Hold"
    traffic: dict[str, Any] = {"mode": "ReplicaRatio", "service": {"port": 8080}}
    by_gateway = history.mode == "HTTPRoute" or history.scene.watch is not None
    spec: dict[str, Any] = {} if by_gateway else {"traffic": traffic}
    way = strategy(STEPS[history.steps], onPass=history.on_pass)
    watch = history.watch if history.scene.watch is None else history.scene.watch
    if watch is not None and by_gateway:
        way["watch"] = watch
    spec |= {"toolRegistryRef": {"name": "tools"}}
    return [registry(), *everything(strategy=way, gate=gate, **spec)]
