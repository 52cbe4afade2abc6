"""What a service promises in the long run, and what a rollout may use up of its error budget."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from turnout.api.base import Decimals, FineDuration, Margin, Message, Name, Share, Timestamp, Wire
from turnout.api.schema import ATOMIC, keyed_by

Span = Annotated[
    str,
    Field(
        max_length=6,
        pattern=r"^([1-9][0-9]?d|[1-9][0-9]{0,2}h|[1-9][0-9]{0,3}m|[1-9][0-9]{1,4}s)$",
    ),
]
"""A length of time in one unit: 30d, 6h, 5m, 10s."""

Target = Annotated[str, Field(max_length=6, pattern=r"^[1-9][0-9]?(\.[0-9]{1,2})?%$")]
"""A `Share` from 1% to 99.99%."""

Factor = Annotated[
    str, Field(max_length=8, pattern=r"^([1-9][0-9]{0,3}(\.[0-9]{1,3})?|0\.[0-9]{0,2}[1-9])$")
]
"""A decimal above 0."""


class Objective(Wire):
    """A promise about all the requests to an agent, whichever version answers them."""

    name: Name
    """Name of the objective in messages and status. Example: answers."""
    metric: Name
    """MetricTemplate, in this namespace, that says which series count good requests and all of
    them. Example: support-success."""
    slower_than: FineDuration | None = None
    """For a template of type Histogram: a request that took longer is not good. It must be a
    bucket bound of the histogram. Example: 2s."""
    target: Target
    """Share of good requests that is promised; the rest is the error budget. Example: 99%."""
    window: Span = "30d"
    """Time that the promise is about, up to now. Example: 28d."""
    provider: Name = "default"
    """Metrics provider, by the name that the administrator gave it. Example: team-prometheus."""


class PauseOnBurn(Wire):
    """A pace at which the error budget must not be used up."""

    rate: Factor
    """How many times as fast as would use up the budget in just the objective's window.
    Example: "14.4"."""
    over: Annotated[tuple[Span, ...], Field(min_length=1, max_length=2), ATOMIC]
    """Windows over each of which it must be that fast: a long one, so that it matters, and a short
    one, so that the pause ends soon after. Example: [1h, 5m]."""


SRE_WORKBOOK = (
    PauseOnBurn(rate="14.4", over=("1h", "5m")),
    PauseOnBurn(rate="6", over=("6h", "30m")),
)
"""The paces at which the SRE workbook (table 5-8) pages somebody: 2 % of a budget of 30 days in one
hour, 5 % in six."""


class ErrorBudget(Wire):
    """What the error budgets of the Agent's objectives let a rollout do."""

    pause_on_burn: Annotated[tuple[PauseOnBurn, ...], Field(max_length=4), ATOMIC] | None = None
    """Paces of all the service, both versions together, at each of which a running rollout waits
    until it is over; where absent 14.4 over [1h, 5m] and 6 over [6h, 30m]. [] never waits.
    Example: [{rate: "14.4", over: [1h, 5m]}]."""

    freeze_below: Share | None = None
    """While less than this part of an objective's budget is left no new rollout begins; ways back
    to a version of before do, and so does what budgetOverride names. Where absent none is frozen.
    Example: 10%."""

    max_budget_spend: Margin | None = None
    """Part of an objective's budget that one rollout may use up by failures that stable would not
    have had. From there on it is held; it is taken back if it is proved worse, by however little.
    Counted by the metric of the gate that reads what the objective does. Where absent there is no
    limit. Example: 5%."""

    @property
    def paces(self) -> tuple[PauseOnBurn, ...]:
        """Paces at which a rollout waits."""
        return SRE_WORKBOOK if self.pause_on_burn is None else self.pause_on_burn


class BudgetOverride(Wire):
    """A person's word that one version may go out whatever is left of the error budget."""

    version: Name
    """The version, by the name that the message of the wait gives. Others wait on.
    Example: support-9c41e07b2d."""
    by: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]
    """Who says so. Example: ada@example.com."""
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    """Why, for the record. Example: it mends the failures that used up the budget."""


class BudgetState(StrEnum):
    """Whether an error budget is used up too fast. May grow."""

    WITHIN = "Within"
    BURNING = "Burning"
    UNKNOWN = "Unknown"


class NewRollouts(StrEnum):
    """Whether new rollouts may begin, as far as an error budget is concerned. May grow."""

    FREE = "Free"
    FROZEN = "Frozen"


class BurnRate(Wire):
    """How fast an error budget was used up over one window."""

    over: Span
    """The window, up to now."""
    rate: Decimals
    """How many times as fast as would use it up in just the objective's window, rounded to 1, 2 or
    5; told anew when it is half or twice of that."""


class ObjectiveStatus(Wire):
    """How an objective is kept."""

    name: Name
    """Name of the objective."""
    state: BudgetState
    """Whether its budget is used up too fast; what cannot be read stays Burning if it was."""
    since: Timestamp
    """Since when it is so."""
    remaining: Share | None = None
    """Part of the error budget that is left, told anew when it is 5 points off; absent where it is
    not known."""
    new_rollouts: NewRollouts = NewRollouts.FREE
    """Whether enough is left for new rollouts; what cannot be read stays as it was."""
    burn_rates: Annotated[tuple[BurnRate, ...], Field(max_length=10), keyed_by("over")] = ()
    """How fast it is used up, as far as that is known."""
    message: Message = ""
    """The same in a sentence, or why it is not known."""
    told_at: Timestamp
    """When these numbers were told; a change of them alone waits for two minutes."""
