"""A gate's look, and before the first one a look at what stable's pods did before the rollout."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from turnout.core.evidence import evidence_starts
from turnout.core.gates import Blind
from turnout.core.ledger import NOTHING
from turnout.core.looks import Readings
from turnout.core.past import SPAN, Past, past_of
from turnout.core.reasons import Reason
from turnout.core.statistical import begun
from turnout.core.world import World
from turnout.runtime.memory import Memory
from turnout.runtime.readings import Gauge, Question


async def looked(gauge: Gauge, world: World, memory: Memory, question: Question) -> World:
    """Ask for a gate's counters; evidence begins with what is known of stable."""
    world = await _with_past(gauge, world, memory, question)
    found = await gauge.read(question, world.sources.templates)
    return replace(world, readings=found)


async def _with_past(gauge: Gauge, world: World, memory: Memory, question: Question) -> World:
    """Ask once what stable did before; whatever cannot be learned is not waited for."""
    rollout = question.rollout
    gate, until = rollout.spec.gate, evidence_starts(rollout)
    counted = any(world.ledger.get(one.name, NOTHING).end is not None for one in gate.metrics)
    if memory.knows_past or counted or until is None or not gate.is_statistical:
        return world
    ended = datetime.fromtimestamp(until, tz=UTC)
    arms = {name: pods for name, pods in question.arms.items() if name != rollout.spec.to.version}
    before = replace(question, arms=arms, since=ended - timedelta(seconds=SPAN), now=ended)
    found = await gauge.read(before, world.sources.templates)
    known = [one for one in found.values() if isinstance(one, Blind)]
    memory.knows_past = not any(one.reason is Reason.METRICS_UNAVAILABLE for one in known)
    ages = {pod.name: pod.created for pod in world.pods if pod.version in arms}
    stable = {name: min(ages.values(), default=until) for name in arms} | ages
    past = {
        name: past_of(one, stable, until, world.scrape) if isinstance(one, Readings) else Past()
        for name, one in found.items()
    }
    memory.ledger = begun(gate, past)
    return replace(world, ledger={**world.ledger, **memory.ledger})
