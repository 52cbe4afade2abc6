"""What keeps a version from standing in, and what its stored content says of its model."""

from dataclasses import replace
from typing import Any

from tests.support.manifests import everything, strategy
from tests.support.simulation import Simulation
from turnout.api.agent import Model
from turnout.api.base import VersionRef
from turnout.api.drift import Attribution, DriftState, DriftStatus
from turnout.core.conditions import UNKNOWN
from turnout.core.reasons import Reason
from turnout.core.standby import in_question, problem_of, standby_claims, standby_for, standby_name
from turnout.core.stored import model_in
from turnout.core.world import Unread, World

MODEL = Model(provider="openai", name="gpt-x")


def degraded(cause: Attribution = Attribution.PROVIDER, **watch: Any) -> World:
    """See an agent whose second version does worse, and whose first one may stand in."""
    sim = Simulation(everything(strategy=strategy(watch={"bake": "10s"})))
    sim.settle()
    sim.run(30)
    sim.store(
        everything()[0] | {"spec": {**sim.get("Prompt", "support-system")["spec"], "text": "x"}}
    )
    sim.settle()
    sim.intend(promote={"mode": "Full", "by": "ada"})
    sim.settle()
    sim.run(60)
    named = {"onDrift": "Fallback", "fallbackVersion": sim.version_names[0]} | watch
    sim.patch("Agent", "support", {"spec": {"strategy": {"watch": named}}})
    seen = sim.world()
    told = DriftStatus(
        state=DriftState.DEGRADED,
        version=sim.stable,
        since=seen.now,
        attribution=cause,
        message="it does worse",
    )
    status = seen.agent.status.model_copy(update={"drift": told})
    return replace(seen, agent=seen.agent.model_copy(update={"status": status}))


def why(world: World) -> Reason | None:
    problem = problem_of(world)
    return problem[0] if problem is not None else None


def test_a_version_is_refused_until_the_content_of_both_is_proved() -> None:
    world = degraded()
    assert {one.metadata.name for one in in_question(world)} == set(world.versions)
    assert why(replace(world, models={})) is Reason.PENDING
    assert why(replace(world, models={standby_name(world): MODEL})) is Reason.PENDING


def test_a_version_must_ask_another_model_where_the_provider_is_the_likely_cause() -> None:
    world = degraded()
    first, second = world.versions
    for model, reason in (
        (MODEL, Reason.SAME_CAUSE),
        (MODEL.model_copy(update={"temperature": "0.5"}), Reason.SAME_CAUSE),
        (None, Reason.SAME_CAUSE),
        (Model(provider="openai", name="gpt-y"), None),
        (Model(provider="other", name="gpt-x"), None),
    ):
        assert why(replace(world, models={first: model, second: MODEL})) is reason


def test_a_version_with_the_same_tools_is_no_way_out_of_a_tool_that_fails() -> None:
    world = degraded(Attribution.TOOL)
    world = replace(world, models=dict.fromkeys(world.versions, MODEL))
    assert why(world) is Reason.SAME_CAUSE
    assert why(degraded_by(world, Attribution.OWN)) is None


def degraded_by(world: World, cause: Attribution) -> World:
    drift = world.agent.status.drift
    assert drift is not None
    told = drift.model_copy(update={"attribution": cause})
    status = world.agent.status.model_copy(update={"drift": told})
    return replace(world, agent=world.agent.model_copy(update={"status": status}))


def test_a_version_whose_content_is_gone_cannot_stand_in() -> None:
    world = degraded()
    children = {key: one for key, one in world.children.items() if key[0] != "ConfigMap"}
    assert why(replace(world, children=children)) is Reason.REFERENCE_NOT_FOUND


def test_a_version_that_is_not_there_is_not_read() -> None:
    world = degraded(fallbackVersion="nobody")
    assert len(list(in_question(world))) == 1
    assert why(world) is Reason.REFERENCE_NOT_FOUND


def test_it_stands_in_for_what_serves_and_for_nothing_else() -> None:
    world = degraded(Attribution.OWN)
    world = replace(world, models=dict.fromkeys(world.versions, MODEL))
    first, second = (
        VersionRef(version=name, digest=one.spec.digest) for name, one in world.versions.items()
    )
    found = standby_for(world, second)
    assert found is not None
    assert (found.ref, found.asked, found.message) == (first, second, "it does worse")
    assert standby_for(world, first) is None


def test_a_model_is_read_from_content_that_is_proved_and_from_no_other() -> None:
    world = degraded()
    version = world.versions[standby_name(world)]
    data = world.children["ConfigMap", version.metadata.name].document["data"]
    assert model_in(data, version.spec.digest) is None
    assert isinstance(model_in(data, f"sha256:{'0' * 64}"), Unread)
    assert isinstance(model_in({}, version.spec.digest), Unread)


def test_what_is_not_proved_yet_is_unknown_in_the_condition() -> None:
    (claim,) = standby_claims(replace(degraded(), models={}))
    assert (claim.type, claim.status, claim.reason) == ("FallbackReady", UNKNOWN, Reason.PENDING)
