"""The story: an agent comes up, a better prompt is promoted, a worse one takes itself back."""

import asyncio
import re
import time
from dataclasses import dataclass, replace
from typing import Final

from demo import example, gateway
from demo.checks import Checks
from demo.screen import Screen
from demo.seen import Seen
from demo.stage import Stage

MOST_EVENTS: Final = 12
"""A rollout that tells more than this is noise."""

_SOON: Final = 30.0
_VERSION_LIMIT: Final = 30.0
_POD_LIMIT: Final = 120.0
_FIRST_LIMIT: Final = 120.0
_PROMOTION_LIMIT: Final = 300.0
_ROLLBACK_LIMIT: Final = 180.0
_ROUTE_LIMIT: Final = 10.0
_AFTERWARDS: Final = 5.0
"""Seconds of load after the rollback, in which nobody may get the bad version."""

_IN_FLIGHT: Final = 1.0
"""Seconds that a request may be on its way when the route changes."""

_VALUE: Final = r"\d+\.\d%"


@dataclass(frozen=True)
class Course:
    """How one version fared; times in seconds since 1970.

    Attributes:
        version: Its name.
        ended: What became of it.
        applied_at: When kubectl was called with it.
        first_at: When it gave its first answer.
        first_bad_at: When it gave its first bad answer.
        back_at: When the route had taken all traffic off it again.
    """

    title: str
    version: str
    ended: str
    applied_at: float
    first_at: float | None = None
    first_bad_at: float | None = None
    back_at: float | None = None


class Story:
    """Plays one act after another; each returns how its version fared."""

    def __init__(self, stage: Stage, screen: Screen, checks: Checks, seen: Seen) -> None:
        self._stage = stage
        self._screen = screen
        self._checks = checks
        self._seen = seen
        self._told_before = 0

    async def first_version(self) -> Course:
        """Apply everything for the first time: what has no predecessor is stable at once."""
        seen, within = self._seen, self._checks.within
        self._screen.title("A support agent: its prompt, tools, policy and model are one version")
        self._screen.command("kubectl apply -f examples/support-agent/manifests/...")
        applied_at = time.time()
        await self._kubectl("apply", "-f", "-", stdin=example.base())
        healthy = seen.until(lambda: seen.phase == "Healthy" and seen.stable != "")
        await within(_FIRST_LIMIT, "the first version is stable", healthy)
        reached = gateway.routes(self._stage.gateway_url)
        await within(_SOON, "the gateway reaches the agent", reached)
        return Course("first version", seen.stable, "stable at once", applied_at)

    async def customers_come(self, version: str) -> None:
        """See the load arrive before anything changes."""
        seen = self._seen
        answered = seen.until(lambda: seen.first(version) is not None)
        await self._checks.within(_SOON, "customers are answered by the first version", answered)

    async def better(self) -> Course:
        """Change the prompt for the better and see it promoted."""
        seen, within = self._seen, self._checks.within
        self._screen.title(
            "A better prompt: the same rules, and a look at the answer before it is sent"
        )
        before = seen.stable
        course = await self._change("better prompt", "prompt-better.yaml")
        promoted = seen.until(
            lambda: seen.phase == "Healthy" and seen.stable == course.version,
            never=lambda: seen.phase in {"RolledBack", "Degraded"},
        )
        await within(_PROMOTION_LIMIT, "the better prompt is promoted", promoted)
        told = seen.until(lambda: seen.told("Promoted", course.version))
        await within(_SOON, "an Event tells of the promotion", told)
        self._note_pods(before, "the better prompt")
        return replace(course, ended="promoted", first_at=seen.first(course.version))

    async def worse(self) -> Course:
        """Change the prompt for the worse and see it taken back by itself."""
        seen, within = self._seen, self._checks.within
        self._screen.title("A worse prompt: shorter, friendlier, and one rule was lost on the way")
        before = seen.stable
        course = await self._change("worse prompt", "prompt-worse.yaml")
        rolled_back = seen.until(
            lambda: seen.phase == "RolledBack", never=lambda: seen.stable == course.version
        )
        await within(_ROLLBACK_LIMIT, "the worse prompt is rolled back by itself", rolled_back)
        empty = seen.until(lambda: seen.weights.get(course.version, 0) == 0)
        await within(_ROUTE_LIMIT, "the route gives it nothing", empty)
        back_at = seen.weights_at
        told = seen.until(lambda: seen.told("RolledBack", course.version))
        await within(_SOON, "an Event tells of the rollback", told)
        await self._watch_afterwards(course.version, back_at)
        self._checks.note(
            "the version before it is stable again", seen.stable, held=seen.stable == before
        )
        self._note_pods(before, "the worse prompt")
        self._note_message()
        return replace(
            course,
            ended="rolled back",
            first_at=seen.first(course.version),
            first_bad_at=seen.first(course.version, bad=True),
            back_at=back_at,
        )

    async def _change(self, title: str, manifest: str) -> Course:
        """Apply a prompt, and wait until the version that it makes answers customers."""
        seen, within = self._seen, self._checks.within
        before = seen.stable
        self._told_before = len(seen.events)
        seen.pods.guard(before)
        self._screen.command(f"kubectl apply -f examples/support-agent/manifests/{manifest}")
        applied_at = time.time()
        await self._kubectl("apply", "-f", str(example.MANIFESTS / manifest))
        starts = seen.until(lambda: seen.candidate not in {"", before})
        await within(_VERSION_LIMIT, f"the {title} is a new version", starts)
        version = seen.candidate
        answers = seen.until(lambda: seen.first(version) is not None)
        await within(_POD_LIMIT, f"the {title} answers its first customer", answers)
        return Course(title, version, "", applied_at)

    async def _kubectl(self, *arguments: str, stdin: str = "") -> None:
        await asyncio.to_thread(self._stage.tools.kubectl, *arguments, stdin=stdin)

    async def _watch_afterwards(self, version: str, back_at: float) -> None:
        seen = self._seen
        enough = back_at + _AFTERWARDS
        later = seen.until(lambda: any(one.sent_at > enough for one in seen.requests))
        await self._checks.within(_SOON, "customers go on writing", later)
        late = seen.last_sent_to(version) - back_at
        self._checks.note(
            "nobody gets the worse prompt after the rollback",
            f"its last request left {late:+.1f} s from it",
            held=late < _IN_FLIGHT,
        )

    def _note_pods(self, version: str, act: str) -> None:
        fewest, told = self._seen.pods.fewest, len(self._seen.events) - self._told_before
        self._checks.note(
            f"stable kept its pods while {act} was tried",
            f"{version}: never fewer than {fewest} ready",
            held=fewest >= example.replicas(),
        )
        self._checks.note(
            f"{act} took at most {MOST_EVENTS} Events", str(told), held=told <= MOST_EVENTS
        )

    def _note_message(self) -> None:
        """The message must name metric, both values and the rule."""
        message = self._seen.message
        parts = (
            re.escape(example.METRIC),
            f"candidate {_VALUE}",
            f"stable {_VALUE}",
            f"below {re.escape(example.bar())}",
        )
        missing = [part for part in parts if not re.search(part, message)]
        self._checks.note(
            "the message names metric, both values and the rule",
            f"missing: {', '.join(missing)}" if missing else "",
            held=not missing,
        )
