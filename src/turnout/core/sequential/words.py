"""What evidence says, in a sentence."""

from __future__ import annotations

import math
from typing import Final

from turnout.core.sequential.bets import plain
from turnout.core.sequential.findings import MONEY, Finding
from turnout.core.sequential.forecast import forecast, rounded
from turnout.core.sequential.tally import Tally, Terms
from turnout.core.sequential.verdicts import Policy

PLENTY: Final = 1000.0
"""Evidence beyond which the number says nothing more to people."""

EXACT_BELOW: Final = 10.0

WHOLE: Final = 100.0
"""Amount from which on its tenths say nothing to people."""

LOUD: Final = 1.05
"""Noise below which there is nothing to say of it."""


def said_of(finding: Finding, tally: Tally, terms: Terms, policy: Policy) -> str:
    """Say what one metric shows: both values, the drop with its margin, evidence, forecast."""
    if finding.shares is None or finding.drop is None:
        return f"{finding.name}: candidate and stable were not asked in the same minutes yet"
    mine, theirs = (f"{100 * one:.1f}%" for one in finding.shares)
    requests = f"{finding.requests:.0f} requests"
    return (
        f"{finding.name}: candidate {mine}, stable {theirs} lately, {_drop(finding)}"
        f"{_below(finding)}; evidence {evidence(finding.worse)} that it is worse, "
        f"{evidence(finding.safe)} that it is safe, of {requests} ({math.exp(policy.sure):.0f} "
        f"decides){_noise(tally)}{_ahead(finding, tally, terms, policy)}"
    )


def factor(noise: float) -> str | None:
    """Write how much counts scatter; None where that is no more than independent requests do."""
    return f"{noise:.1f}" if noise >= LOUD else None


def said_of_both(name: str, tally: Tally) -> str:
    """Say that both arms do worse than stable used to, with the three values."""
    rates = (tally.slump.usual, tally.rate, tally.slump.candidate)
    usual, stable, candidate = (f"{100 * (1.0 - one.failures):.0f}%" for one in rates)
    return (
        f"{name}: both arms fell, stable to {stable} lately (usually {usual}), the candidate to "
        f"{candidate}: the cause is outside of both versions; waits until stable is well again"
    )


def said_of_cost(finding: Finding, policy: Policy) -> str:
    """Say what a cost metric shows: both values, the increase with its limit, evidence."""
    if finding.drop is None:
        return f"{finding.name}: candidate and stable did not succeed in the same minutes yet"
    values = "candidate spends without a success"
    if finding.shares is not None:
        mine, theirs = (amount(finding.spent, one) for one in finding.shares)
        values = f"{finding.spent} per success {mine} against {theirs}"
    return (
        f"{finding.name}: {values} lately, {increase(finding.drop)} "
        f"(limit {increase(finding.margin or 0.0)}); evidence {evidence(finding.worse)} that it is "
        f"dearer, {evidence(finding.safe)} that it is safe, of {finding.requests:.0f} successes "
        f"({math.exp(policy.sure):.0f} decides)"
    )


def amount(spent: str, value: float | None) -> str:
    """Write how much of something was spent, a dash for unknown: $0.031, 812, 4.2."""
    if spent == MONEY or value is None:
        return money(value)
    return f"{value:.0f}" if value >= WHOLE else f"{value:.1f}"


def money(value: float | None) -> str:
    """Write an amount of money with two digits that count, a dash for unknown: $0.031, $12.40."""
    if value is None:
        return "-"
    decimals = 2 if value <= 0.0 else max(2, 1 - math.floor(math.log10(value)))
    return f"${value:.{min(decimals, 9)}f}"


def increase(part: float) -> str:
    """Write by how much something is more."""
    return f"{'+' if part >= 0.0 else '-'}{100 * abs(part):.0f} %"


def evidence(log: float) -> str:
    """Write evidence as people read it: 6.2, 48, over 1000."""
    number = plain(log)
    if number > PLENTY:
        return f"over {PLENTY:.0f}"
    return f"{number:.1f}" if number < EXACT_BELOW else f"{number:.0f}"


def points(share: float) -> str:
    """Write a difference of shares in points."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".")


def _drop(finding: Finding) -> str:
    drop = finding.drop or 0.0
    said = f"{100 * abs(drop):.1f} points {'better' if drop < 0 else 'worse'}"
    return said if finding.margin is None else f"{said} ({points(finding.margin)} allowed)"


def _noise(tally: Tally) -> str:
    times = factor(tally.noise)
    return "" if times is None else f"; counts scatter {times} times as much as by chance"


def _below(finding: Finding) -> str:
    if not finding.is_below or finding.minimum is None:
        return ""
    return f", below the minimum of {points(finding.minimum)}%"


def _ahead(finding: Finding, tally: Tally, terms: Terms, policy: Policy) -> str:
    """Say how much longer a Pass takes; nothing where it is there, is far or cannot be told."""
    found = forecast(tally, terms, policy.min_requests)
    if policy.is_safe(finding) or finding.exceeds or found is None or rounded(found.requests) == 0:
        return ""
    time = "" if found.seconds is None else f", {rounded(found.seconds / 60.0)} min"
    return f"; about {rounded(found.requests)} more requests{time}, if it is as good as stable"
