"""The queue of rollouts in one process: never more than the limit, and nobody waits for ever."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.manifests import GATE, agent, strategy
from turnout.adapters.documents import AGENT, AGENT_ROLLOUT, Ref
from turnout.api.agent import Agent
from turnout.api.base import VersionRef
from turnout.api.rollout import AgentRollout, Trigger
from turnout.api.strategy import Gate, Strategy
from turnout.core.course import Course, Start
from turnout.core.intake import Wanted
from turnout.core.lineup import Limits, Place, Turn
from turnout.core.reasons import Reason
from turnout.core.world import Sources, World
from turnout.errors import Invalid
from turnout.runtime.lineup import GIVEN_UP, JOINING, RETOLD, Lineup

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN: Final = Agent.model_validate(agent())
VERSION: Final = VersionRef(version="support-0123456789", digest="sha256:" + "0" * 64)

WANTED: Final = Wanted(
    VERSION, None, Strategy.model_validate(strategy()), Gate.model_validate(GATE)
)


def ref_of(name: str) -> Ref:
    namespace, own = name.split("/")
    return Ref(AGENT, namespace, own)


def rollout(ref: Ref, trigger: Trigger, phase: str = "Progressing") -> dict[str, Any]:
    way = {"strategy": strategy(), "gate": GATE}
    to = VERSION.to_wire()
    spec = {"agent": ref.name, "number": 1, "trigger": trigger.value, "to": to, **way}
    metadata = {"name": f"{ref.name}-r1", "namespace": ref.namespace}
    return {"metadata": metadata, "spec": spec, "status": {"phase": phase}}


@dataclass
class Room:
    """Agents of some namespaces, and the queue that they stand in.

    Attributes:
        wanting: Who has content that is not out.
        running: Who has a rollout under way.
        told: What each one's status says of its place.
    """

    limits: Limits
    now: datetime = START
    wanting: set[Ref] = field(default_factory=set)
    running: set[Ref] = field(default_factory=set)
    told: dict[Ref, tuple[datetime, Place]] = field(default_factory=dict)
    begun: list[Ref] = field(default_factory=list)
    writes: Counter[Ref] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.lineup = Lineup(self.limits)

    def world(self, ref: Ref) -> World:
        meta = PLAIN.metadata.model_copy(update={"name": ref.name, "namespace": ref.namespace})
        rollouts: tuple[AgentRollout, ...] = ()
        if ref in self.running:
            rollouts = (AgentRollout.model_validate(rollout(ref, Trigger.CONTENT_CHANGED)),)
        status = Agent.model_validate({**agent(), "status": self.status(ref)}).status
        known = PLAIN.model_copy(update={"metadata": meta, "status": status})
        return World(self.now, known, Sources(), rollouts=rollouts)

    def status(self, ref: Ref) -> dict[str, Any]:
        if ref not in self.told:
            return {}
        since, place = self.told[ref]
        queue = {"position": place.position, "of": place.of, "since": since.isoformat()}
        return {"rollout": {"name": "x-r1", "number": 1, "queue": queue}}

    def look(self, ref: Ref) -> Turn | None:
        """Look at one Agent as the reconciler does."""
        turn = self.lineup.turn(ref, self.world(ref))
        wants = ref in self.wanting and ref not in self.running
        begins = wants and (turn is None or turn.may_begin)
        waits = turn if wants and not begins else None
        start = Start(1, Trigger.CONTENT_CHANGED, WANTED) if begins else None
        course = Course("rule", Reason.PENDING, "", None, start=start, turn=waits)
        self.lineup.note(ref, course, self.now)
        if begins:
            self.begun.append(ref)
            self.running.add(ref)
            self.wanting.discard(ref)
        if waits is not None and waits.place is not None:
            said = (waits.since, waits.place)
            self.writes[ref] += self.told.get(ref) != said
            self.told[ref] = said
        elif waits is None:
            self.told.pop(ref, None)
        return turn

    def end(self, ref: Ref) -> set[Ref]:
        """End a rollout; returns whom that calls."""
        self.running.discard(ref)
        self.look(ref)
        return self.lineup.calls(self.now)

    def restart(self) -> None:
        """Let another process take over, which knows what stands in the cluster."""
        self.lineup = Lineup(self.limits)
        everybody = self.wanting | self.running
        agents: dict[Ref, Any] = {
            ref: agent()
            | {
                "metadata": {"name": ref.name, "namespace": ref.namespace},
                "status": self.status(ref),
            }
            for ref in everybody
        }
        rollouts: dict[Ref, Any] = {
            Ref(AGENT_ROLLOUT, ref.namespace, f"{ref.name}-r1"): rollout(
                ref, Trigger.CONTENT_CHANGED
            )
            for ref in self.running
        }
        self.lineup.resume(agents, rollouts, self.now)

    def within_limits(self) -> bool:
        each = Counter(ref.namespace for ref in self.running)
        fits = not self.limits.operator or len(self.running) <= self.limits.operator
        most = max(each.values(), default=0)
        return fits and (not self.limits.namespace or most <= self.limits.namespace)

    def wants(self, *names: str) -> None:
        for name in names:
            self.wanting.add(ref_of(name))
            self.look(ref_of(name))

    def passes(self, time: timedelta) -> None:
        self.now += time
        for ref in sorted(self.wanting, key=str):
            self.look(ref)


NAMES = [f"{namespace}/{number}" for namespace in "abc" for number in range(4)]
ACTS = st.one_of(
    st.tuples(st.just("wants"), st.sampled_from(NAMES)),
    st.tuples(st.just("look"), st.sampled_from(NAMES)),
    st.tuples(st.just("end"), st.sampled_from(NAMES)),
    st.tuples(st.just("gives up"), st.sampled_from(NAMES)),
    st.tuples(st.just("time"), st.sampled_from([0.1, 1.0, 30.0, 300.0])),
    st.tuples(st.just("restart"), st.none()),
)
LIMITS = st.builds(Limits, st.integers(1, 3), st.integers(0, 2))


def _act(room: Room, name: str, value: Any) -> None:
    match name:
        case "wants":
            room.wants(value)
        case "look":
            room.look(ref_of(value))
        case "end":
            for ref in room.end(ref_of(value)):
                room.look(ref)
        case "gives up":
            room.wanting.discard(ref_of(value))
            room.look(ref_of(value))
        case "time":
            room.now += timedelta(seconds=value)
        case _:
            room.restart()


@settings(max_examples=150)
@given(LIMITS, st.lists(ACTS, max_size=60))
def test_never_more_run_than_the_limit_and_everybody_gets_a_turn(
    limits: Limits, acts: list[tuple[str, Any]]
) -> None:
    room = Room(limits)
    for name, value in acts:
        _act(room, name, value)
        assert room.within_limits()
    left = len(room.wanting) + len(room.running)
    for _ in range(left + 1):
        for ref in sorted(room.running, key=str):
            room.end(ref)
        room.passes(RETOLD)
        assert room.within_limits()
    assert not room.wanting


def test_without_a_limit_there_is_no_turn_to_wait_for() -> None:
    room = Room(Limits())
    room.wants(*NAMES)
    assert room.look(ref_of("a/0")) is None
    assert len(room.running) == len(NAMES)
    assert room.lineup.calls(room.now) == set()


def test_a_namespace_with_one_agent_waits_behind_no_crowd() -> None:
    room = Room(Limits(operator=2))
    room.wants(*(f"a/{number}" for number in range(9)))
    room.wants("b/0")
    assert [ref.namespace for ref in room.begun] == ["a", "a"]
    assert room.end(room.begun[0]) == {ref_of("b/0")}


def test_a_place_is_told_once_all_have_come_and_then_no_more_than_twice_a_minute() -> None:
    room = Room(Limits(operator=1))
    room.wants(*(f"a/{number}" for number in range(6)))
    assert not room.told
    room.passes(JOINING)
    assert [place.position for _, place in room.told.values()] == [1, 2, 3, 4, 5]
    for _ in range(3):
        for ref in room.end(room.begun[-1]):
            room.look(ref)
        room.passes(timedelta(seconds=5))
    last = ref_of("a/5")
    assert (room.told[last][1].position, room.writes[last]) == (5, 1)
    room.passes(RETOLD)
    assert (room.told[last][1].position, room.told[last][1].of) == (2, 2)
    assert room.writes[last] == 2


def test_after_a_restart_the_queue_is_as_it_was() -> None:
    room = Room(Limits(operator=1))
    room.wants("a/0", "a/1")
    room.now += timedelta(seconds=5)
    room.wants("a/2")
    room.passes(JOINING)
    room.restart()
    room.wants("a/3")
    assert room.begun == [ref_of("a/0")]
    assert room.end(ref_of("a/0")) == {ref_of("a/1")}
    room.look(ref_of("a/2"))
    assert ref_of("a/2") not in room.running


def test_what_neither_waits_nor_counts_is_not_taken_up_as_running() -> None:
    ref = ref_of("a/0")
    others = ref_of("a/1"), ref_of("a/2")
    room = Room(Limits(operator=1))
    documents: dict[Ref, Any] = {
        Ref(AGENT_ROLLOUT, "a", "0-r1"): rollout(ref, Trigger.RETURN),
        Ref(AGENT_ROLLOUT, "a", "1-r1"): rollout(others[0], Trigger.RETRY, "Promoted"),
        Ref(AGENT_ROLLOUT, "a", "2-r1"): Invalid("Unreadable", "what is this"),
        Ref(AGENT_ROLLOUT, "gone", "9-r1"): rollout(ref_of("gone/9"), Trigger.RETRY),
    }
    agents: dict[Ref, Any] = {ref: agent(), others[0]: agent(), others[1]: Invalid("x", "y")}
    room.lineup.resume(agents, documents, room.now)
    room.wants("b/0")
    assert room.begun == [ref_of("b/0")]


def test_who_does_not_ask_any_more_is_passed_over() -> None:
    room = Room(Limits(operator=1))
    room.wants("a/0", "a/1", "a/2")
    room.now += GIVEN_UP
    room.look(ref_of("a/2"))
    assert room.end(ref_of("a/0")) == {ref_of("a/2")}


def test_who_is_refused_or_gone_holds_up_nobody() -> None:
    room = Room(Limits(operator=1))
    room.wants("a/0", "a/1", "a/2", "a/3")
    room.running.clear()
    room.lineup.leave(ref_of("a/0"))
    room.lineup.step_out(ref_of("a/1"))
    assert room.lineup.calls(room.now) == {ref_of("a/2")}
    assert room.lineup.calls(room.now) == set()


def test_content_that_changes_in_the_queue_keeps_the_place() -> None:
    room = Room(Limits(operator=1))
    room.wants("a/0", "a/1")
    room.passes(JOINING)
    room.now += timedelta(seconds=10)
    room.wants("a/2")
    settling = ref_of("a/1")
    room.lineup.note(settling, Course("settling", Reason.PENDING, "", None), room.now)
    room.look(settling)
    assert room.end(ref_of("a/0")) == {settling}
