"""How many pods a weight needs, and what becomes of a wish to retry too late."""

from types import SimpleNamespace
from typing import Any

import pytest

from turnout.api.rollout import IntentOutcome, RolloutPhase
from turnout.core.scale import candidate_replicas, ratio_replicas
from turnout.core.states import _refused_retry


@pytest.mark.parametrize(
    ("replicas", "weight", "pods"), [(0, 50, 0), (4, 0, 1), (4, 25, 1), (4, 26, 2), (4, 100, 4)]
)
def test_a_weight_at_a_gateway_needs_its_share_of_the_pods(
    replicas: int, weight: int, pods: int
) -> None:
    assert candidate_replicas(replicas, weight) == pods


@pytest.mark.parametrize(
    ("replicas", "weight", "pods"), [(0, 50, 0), (4, 0, 0), (4, 20, 1), (4, 50, 4), (4, 100, 4)]
)
def test_a_weight_by_ratio_needs_pods_beside_all_of_stable(
    replicas: int, weight: int, pods: int
) -> None:
    assert ratio_replicas(replicas, weight) == pods


@pytest.mark.parametrize("newest", [True, False])
def test_what_was_promoted_is_not_tried_again(*, newest: bool) -> None:
    rollout: Any = SimpleNamespace(status=SimpleNamespace(phase=RolloutPhase.PROMOTED))
    assert _refused_retry(rollout, newest=newest) is IntentOutcome.IGNORED


def test_a_wish_to_retry_the_newest_stays_open() -> None:
    rollout: Any = SimpleNamespace(status=SimpleNamespace(phase=RolloutPhase.ROLLED_BACK))
    assert _refused_retry(rollout, newest=True) is None
