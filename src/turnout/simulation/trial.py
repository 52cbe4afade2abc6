"""One rollout from its first second to its end, by the production decision, with a stated truth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from turnout.api.base import seconds
from turnout.api.rollout import RolloutPhase
from turnout.api.strategy import RolloutStrategySpec
from turnout.core.phase import FINAL
from turnout.errors import Invalid
from turnout.simulation.cluster import EPOCH, Document
from turnout.simulation.life import INSTANT, Life
from turnout.simulation.provider import Provider
from turnout.simulation.subject import content, documents, yes
from turnout.simulation.truth import Truth
from turnout.simulation.users import Account, Users, costs, counted

BEFORE: Final = 60.0
"""Seconds that stable serves alone before the rollout begins."""

SCRAPE: Final = 15.0
"""Seconds between two looks of the provider at a pod, at most: what an operator expects usually."""


@dataclass(frozen=True)
class Moment:
    """Something that changed, as the columns of an AgentRollout show it.

    Attributes:
        at: Seconds after the rollout began.
        truth: What became so just then; empty where the operator did something.
    """

    at: float
    phase: str
    step: str
    weight: int
    gate: str
    reason: str
    message: str
    truth: str = ""


@dataclass(frozen=True)
class Trial:
    """A simulated rollout.

    Attributes:
        ended: Seconds after which it was over; None where it was not when the time was up.
    """

    seed: int
    moments: tuple[Moment, ...]
    phase: RolloutPhase
    message: str
    ended: float | None
    account: Account


def try_out(spec: RolloutStrategySpec, truth: Truth, seed: int, until: float) -> Trial:
    """Play one rollout to its end, or so many seconds.

    Raises:
        Invalid: the strategy and the gate are such that no rollout begins.
    """
    interval = seconds(spec.gate.interval)
    return _Play(spec, truth, seed, min(SCRAPE, interval)).play(until)


class _Play:
    """A rollout under way."""

    def __init__(self, spec: RolloutStrategySpec, truth: Truth, seed: int, scrape: float) -> None:
        kept = 8 + 2 * math.ceil(seconds(spec.gate.interval) / scrape)
        self._truth, self._seed = truth, seed
        self._users = Users(
            truth, Random(seed), counted(spec.gate.metrics), costs(spec.gate.metrics)
        )
        self._provider = Provider(kept)
        self._life = Life(scrape, self._provider, self._users)
        for document in documents(spec):
            self._life.store(document)
        self._moments: list[Moment] = []

    def play(self, until: float) -> Trial:
        self._begin()
        marks = sorted(one for one in self._truth.marks() if one[0] < until)
        for at, said in [*marks, (until, "")]:
            while self._at < at - INSTANT and not self._over:
                self._life.step(at - self._at)
                self._look()
                self._ask_people()
            if self._over:
                break
            if said:
                self._look(said)
            self._see_provider()
        return Trial(
            self._seed,
            tuple(self._moments),
            RolloutPhase(self._status["phase"]),
            self._status.get("message", ""),
            self._at if self._over else None,
            self._users.account,
        )

    def _begin(self) -> None:
        """Let the first version serve, and then another content be applied.

        Raises:
            Invalid: No rollout begins.
        """
        life = self._life
        life.now = EPOCH - timedelta(seconds=BEFORE)
        life.settle()
        life.run(BEFORE)
        life.store(content("another"))
        self._users.began = life.now.timestamp()
        self._see_provider()
        outcome = life.settle()
        if not life.all("AgentRollout"):
            raise Invalid(outcome.decision.reason, outcome.decision.message)
        self._users.candidate = str(life.rollout["spec"]["to"]["version"])
        self._look()

    def _ask_people(self) -> None:
        """Let people say yes where a step has waited for them for as long as they take."""
        people, status = self._truth.people, self._status
        if people is None or status["phase"] != RolloutPhase.PAUSED:
            return
        began = datetime.fromisoformat(status["step"]["startedAt"])
        if (self._life.now - began).total_seconds() < people - INSTANT:
            return
        rollout = self._life.rollout
        wish = yes(rollout["spec"]["strategy"]["steps"], status["step"]["index"])
        self._look(f"people say yes to step {status['step']['index']}")
        self._life.patch("AgentRollout", rollout["metadata"]["name"], {"spec": wish})
        self._life.settle()
        self._look()

    def _see_provider(self) -> None:
        if self._truth.is_blind(self._at):
            self._provider.stop()
        else:
            self._provider.come_back()

    @property
    def _at(self) -> float:
        return self._life.now.timestamp() - self._users.began

    @property
    def _status(self) -> Document:
        found: Document = self._life.rollout["status"]
        return found

    @property
    def _over(self) -> bool:
        return RolloutPhase(self._status["phase"]) in FINAL

    def _look(self, truth: str = "") -> None:
        """Note how the rollout stands where something changed, or became so."""
        moment = _moment(self._at, self._status, truth)
        before = self._moments[-1] if self._moments else None
        if truth or before is None or _shown(before) != _shown(moment):
            self._moments.append(moment)


def _shown(moment: Moment) -> tuple[object, ...]:
    return (moment.phase, moment.step, moment.weight, moment.reason, moment.message)


def _moment(at: float, status: Mapping[str, Any], truth: str) -> Moment:
    return Moment(
        at,
        status["phase"],
        (status.get("step") or {}).get("progress", ""),
        (status.get("weights") or {}).get("desired", 0),
        (status.get("gate") or {}).get("summary", ""),
        status.get("reason", ""),
        status.get("message", ""),
        truth,
    )
