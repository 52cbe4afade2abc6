"""The status of a MetricTemplate: accepted, and what gates saw of its series."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from turnout.api.base import Condition
from turnout.api.metric import MetricTemplate, MetricTemplateStatus, SeriesMatch
from turnout.api.use import User
from turnout.core.conditions import FALSE, TRUE, UNKNOWN, Claim, fold_conditions
from turnout.core.measures import Sight
from turnout.core.reasons import Reason
from turnout.core.shared import Users, listed

SERIES_FOUND = "SeriesFound"


def report_template(
    template: MetricTemplate, users: Users, sights: Mapping[str, Sight], now: datetime
) -> MetricTemplateStatus:
    """Report a template.

    Args:
        template: The template as it is stored.
        users: The Agents that refer to it.
        sights: What the newest look of each Agent's gate found, by the Agent's name.
        now: The time.
    """
    before, generation = template.status.conditions, template.metadata.generation
    claims = [Claim("Accepted", TRUE, Reason.VALID), Claim("Ready", TRUE, Reason.VALID)]
    known = {name: one for name, one in sights.items() if one.generation == generation}
    kept = () if known else _kept(before, generation)
    if not kept:
        claims.append(_series_found(known))
    made = fold_conditions(before, claims, generation, now)
    return MetricTemplateStatus(
        observed_generation=generation,
        **listed([User(agent=name) for name in users]),
        last_match=_match(template.status, generation, known, now),
        conditions=(*made, *kept),
    )


def _match(
    before: MetricTemplateStatus, generation: int, known: Mapping[str, Sight], now: datetime
) -> SeriesMatch | None:
    """Tell what was found last; the time stays as long as the number does."""
    kept = before.last_match if before.observed_generation == generation else None
    most = max((one.series for one in known.values() if one.is_found), default=0)
    if not most or (kept is not None and kept.series == most):
        return kept
    return SeriesMatch(series=most, at=now)


def _kept(before: tuple[Condition, ...], generation: int) -> tuple[Condition, ...]:
    """Keep what an operator of before learned of the same template."""
    return tuple(
        one for one in before if one.type == SERIES_FOUND and one.observed_generation == generation
    )


def _series_found(known: Mapping[str, Sight]) -> Claim:
    missed = next((one for one in sorted(known.items()) if not one[1].is_found), None)
    if missed is not None:
        agent, sight = missed
        return Claim(SERIES_FOUND, FALSE, sight.reason, f"{agent}: {sight.message}")
    found = next(iter(known.values()), None)
    if found is None:
        return Claim(SERIES_FOUND, UNKNOWN, Reason.PENDING, "no gate has looked for it yet")
    return Claim(SERIES_FOUND, TRUE, found.reason, found.message)
