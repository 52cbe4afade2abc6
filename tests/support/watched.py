"""A simulation that holds every decision to the rules that always hold (DESIGN.md, 1 to 11)."""

from datetime import datetime
from typing import Any

from typing_extensions import override

from tests.support.simulation import Simulation
from turnout.api.base import as_timedelta
from turnout.api.rollout import AgentRollout, RolloutPhase, Trigger, Verdict
from turnout.core import naming
from turnout.core.course import Course
from turnout.core.decide import Outcome
from turnout.core.evaluating import run_names
from turnout.core.phase import MOVES
from turnout.core.plan import Action, Annotate, Apply, Create, Record, Release, Remove
from turnout.simulation.cluster import Document

RECORDS = {"AgentVersion", "AgentRollout", "EvalRun"}
MADE = {"ConfigMap", "Deployment", "Service", "HTTPRoute"} | RECORDS
CHANGED = {"Deployment", "Service", "HTTPRoute", "ConfigMap"}
REMOVED = MADE
TAKEN_BACK = {RolloutPhase.ROLLED_BACK.value, RolloutPhase.ABORTED.value}
MOST_EVENTS = 12
MOST_STATUS_BYTES = 64 * 1024


class Watched(Simulation):
    """Refuses, by an AssertionError, whatever must never happen."""

    def __init__(self, documents: list[Document]) -> None:
        super().__init__(documents)
        self.allowed_in_full: set[str] = set()
        """Rollouts that a pass, a person, their gate's leniency or a dead stable allowed it all."""
        self._dead_since: dict[str, datetime] = {}
        self._passed: set[str] = set()

    @override
    def reconcile(self, *, stop_after: int | None = None) -> Outcome:
        before = {one["metadata"]["name"]: one for one in self.all("AgentRollout")}
        self._watch_stable()
        self._passed |= {
            one["metadata"]["name"]
            for one in self.all("EvalRun")
            if one.get("status", {}).get("phase") == "Passed"
        }
        outcome = super().reconcile(stop_after=stop_after)
        self._watch_raise(before, outcome)
        for key in self.events:
            number = key.partition("-")[0].partition("Rollout")[0]
            count = sum(
                one.partition("-")[0].partition("Rollout")[0] == number for one in self.events
            )
            assert count <= MOST_EVENTS, f"{number} was announced {count} times"
        return outcome

    def _watch_stable(self) -> None:
        """Note since when the version that the Service names has been seen without a ready pod."""
        stable = str((self.status.get("stable") or {}).get("version"))
        wanted = self.get("Agent", self.agent_name)["spec"]["replicas"]
        dead = wanted > 0 and not self.ready_pods(stable)
        self._dead_since = {stable: self._dead_since.get(stable, self.now)} if dead else {}

    def _mends(self, rollout: AgentRollout) -> bool:
        """Claim that a rollout began with stable dead, which has been so for the deadline."""
        since = next(iter(self._dead_since.values()), self.now)
        limits = self.get("Agent", self.agent_name)["spec"]["deployment"]
        dead_for = self.now - since
        long_dead = dead_for >= as_timedelta(limits["progressDeadline"])
        return long_dead and rollout.spec.trigger is Trigger.RECOVER

    def _undoes(self, rollout: AgentRollout) -> bool:
        """Claim that a rollout goes back to a version that was stable before."""
        if rollout.spec.trigger not in {Trigger.RETURN, Trigger.DRIFT_FALLBACK}:
            return False
        version = self.get("AgentVersion", rollout.spec.to.version)
        return "promotedAt" in version["status"]

    @override
    def apply(self, action: Action) -> None:
        match action:
            case Create(manifest):
                assert manifest["kind"] in MADE, manifest["kind"]
                if manifest["kind"] == "AgentRollout":
                    self._watch_switch(AgentRollout.model_validate(manifest))
                self._watch_write(manifest)
            case Apply(manifest, _, _):
                assert manifest["kind"] in CHANGED, manifest["kind"]
                orders = naming.KILL in manifest["metadata"]["annotations"]
                assert orders or manifest["kind"] != "ConfigMap", "content never changes"
                self._watch_write(manifest)
            case Record(target, status, _):
                self._watch_record(target.kind, target.name, status)
            case Remove(target, _, _):
                assert target.kind in REMOVED, target
                self._watch_removal(target.kind, target.name)
            case Annotate(target):
                assert target.kind == "Pod", target
            case Release(target, _):
                raise AssertionError(f"{target} was given up while its Agent lives")
        super().apply(action)

    def _watch_switch(self, begins: AgentRollout) -> None:
        """Nobody falls back again after twice within the window that nobody looked at."""
        watch = begins.spec.strategy.watch
        if watch is None or begins.spec.trigger is not Trigger.DRIFT_FALLBACK:
            return
        known = [AgentRollout.model_validate(one) for one in self.all("AgentRollout")]
        since = max((one.spec.number for one in known if one.spec.acknowledge), default=0)
        times = sorted(
            one.status.promoted_at
            for one in known
            if one.spec.trigger is Trigger.DRIFT_FALLBACK
            and one.spec.number > since
            and one.status.promoted_at is not None
        )
        close = len(times) > 1 and times[-1] - times[-2] <= as_timedelta(watch.flap_window)
        assert not close, "a third fallback that nobody looked at"

    def _watch_write(self, manifest: Any) -> None:
        known = self.objects.get((manifest["kind"], manifest["metadata"]["name"]))
        if known is not None:
            labels = known["metadata"].get("labels", {})
            assert labels.get(naming.MANAGED_BY) == naming.MANAGER, "an object that is not ours"
        if manifest["kind"] == "HTTPRoute":
            self._watch_route(manifest)
        if manifest["kind"] == "Deployment" and known is not None:
            self._watch_scale(manifest, known)

    def _untried(self) -> list[str]:
        """Name the candidate of a running rollout with a suite that it was not seen to pass."""
        known = [AgentRollout.model_validate(one) for one in self.all("AgentRollout")]
        newest = max(known, key=lambda one: one.spec.number, default=None)
        if newest is None or newest.spec.from_ is None or newest.spec.promote is not None:
            return []
        if self._undoes(newest) or newest.status.promoted_at is not None:
            return []
        return [newest.spec.to.version] if {*run_names(newest)} - self._passed else []

    def _watch_route(self, manifest: Any) -> None:
        """Rule 1, and: a version that was taken back never gains weight by itself."""
        seen = [
            {ref["name"]: ref["weight"] for ref in rule["backendRefs"]}
            for rule in manifest["spec"]["rules"]
        ]
        assert all(one == seen[0] for one in seen), "rules differ"
        weights = seen[0]
        assert sum(weights.values()) == 100, weights
        if self.agent_name in weights:
            return
        arms = {*weights, *self._arms()}
        for version in (name for name, weight in weights.items() if weight):
            if not self.ready_pods(version):
                alive = [arm for arm in arms if self.ready_pods(arm)]
                assert not alive, f"{weights}: {version} has no ready pod, {alive} has"
        for version in self._untried():
            assert not weights.get(version), f"{version} has suites before it and gains weight"
        for version in self._taken_back():
            was = self.weights[-1][1].get(version, 0) if self.weights else 0
            assert weights.get(version, 0) <= was, f"{version} was taken back and gains weight"

    def _arms(self) -> set[str]:
        """Name stable and the candidate that runs."""
        found = {str((self.status.get("stable") or {}).get("version"))}
        newest = self.rollout if self.all("AgentRollout") else None
        if newest is not None and _phase(newest) in {"Progressing", "Held", "Paused"}:
            found.add(newest["spec"]["to"]["version"])
        return found

    def _taken_back(self) -> set[str]:
        last = {}
        for one in sorted(self.all("AgentRollout"), key=lambda one: one["spec"]["number"]):
            last[one["spec"]["to"]["version"]] = _phase(one)
        return {name for name, phase in last.items() if phase in TAKEN_BACK} - self._arms()

    def _watch_scale(self, manifest: Any, known: Document) -> None:
        """Rule 2: stable is at full scale, and while a rollout runs it never shrinks."""
        version, replicas = manifest["metadata"]["name"], manifest["spec"]["replicas"]
        wanted = self.get("Agent", self.agent_name)["spec"]["replicas"]
        if version != (self.status.get("stable") or {}).get("version"):
            return
        if manifest["metadata"]["annotations"][naming.ROLE] != "stable":
            return
        assert replicas >= wanted, f"stable is scaled to {replicas} of {wanted}"
        if _phase(self.rollout) in {"Progressing", "Held", "Paused"}:
            assert replicas >= known["spec"]["replicas"], "stable shrinks during a rollout"

    def _watch_record(self, kind: str, name: str, patch: Any) -> None:
        assert kind in {"Agent", "AgentRollout", "AgentVersion"}, kind
        if kind == "AgentRollout" and "phase" in patch:
            known = self.get(kind, name)
            before, after = RolloutPhase(_phase(known)), RolloutPhase(patch["phase"])
            assert after in MOVES[before], f"{before} -> {after}"
            if after is RolloutPhase.PROMOTED and "from" in known["spec"]:
                to, stable = known["spec"]["to"]["digest"], self._named_stable()
                assert name in self.allowed_in_full or to == stable, f"{name} has no pass"

    def _named_stable(self) -> str | None:
        for service in self.all("Service"):
            noted = service["metadata"].get("annotations", {}).get(naming.STABLE_DIGEST)
            if noted:
                return str(noted)
        return None

    def _watch_removal(self, kind: str, name: str) -> None:
        """The only healthy arm is never removed, nor anything that has traffic."""
        if kind == "Deployment" and self.ready_pods(name):
            assert not self.shares().get(name), f"{name} has traffic and loses its pods"

    def _watch_raise(self, before: dict[str, Document], outcome: Outcome) -> None:
        """No weight above the first without a pass, a person's word or the gate's leniency.

        By evidence a step's weight needs no pass: that nothing speaks against it is enough.
        """
        course = outcome.course
        if course.rollout is None or course.status is None or not course.running:
            return
        name = course.rollout.metadata.name
        known = before[name].get("status", {}).get("weights", {}).get("desired", 0)
        now = course.status.weights.desired if course.status.weights else 0
        promote, gate = course.rollout.spec.promote, course.rollout.spec.gate
        passed = course.evidence is not None and course.evidence.verdict.verdict is Verdict.PASS
        lenient = gate.on_inconclusive.value == "PromoteIfHealthy"
        mends = self._mends(course.rollout) or self._undoes(course.rollout)
        if now > known and (known > 0 or now == 100):
            allowed = passed or lenient or mends or promote is not None
            allowed |= _has_no_sign(course) and now in _weights_of_steps(course.rollout)
            assert allowed, f"{name}: {known} -> {now} unjudged"
        in_full = promote is not None and promote.mode.value == "Full"
        if now == 100 and now > known and not (in_full or mends):
            self._watch_bake(course.rollout, known)
        if now == 100 and (passed or lenient or in_full or mends):
            self.allowed_in_full.add(name)

    def _watch_bake(self, rollout: AgentRollout, weight: int) -> None:
        """What is to be watched gets all the traffic after that only."""
        watch = rollout.spec.strategy.watch
        if watch is None:
            return
        weights = rollout.status.weights
        assert weight == watch.weight, f"{weight} -> 100 without a bake"
        assert weights is not None
        assert weights.changed_at is not None
        assert self.now - weights.changed_at >= as_timedelta(watch.bake), "a bake was cut short"


def _phase(rollout: Document) -> str:
    return str(rollout.get("status", {}).get("phase", "Progressing"))


def _has_no_sign(course: Course) -> bool:
    """Claim that evidence is judged, and that nothing speaks against a raise."""
    judged = course.rollout is not None and course.rollout.spec.gate.is_statistical
    return judged and course.evidence is not None and course.evidence.rise is None


def _weights_of_steps(rollout: AgentRollout) -> set[int | None]:
    return {step.set_weight for step in rollout.spec.strategy.steps}
