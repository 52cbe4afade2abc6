import pytest

from turnout.adapters.documents import WATCHED_KINDS
from turnout.runtime.informer import GRACE, STREAMS_A_SECOND, stream_length


def test_a_silent_stream_of_the_whole_cluster_costs_less_than_five_seconds() -> None:
    assert stream_length(len(WATCHED_KINDS)) + GRACE < 5


@pytest.mark.parametrize("streams", [1, 12, 13, 260, 1200])
def test_streams_are_asked_for_four_times_a_second_at_most(streams: int) -> None:
    assert streams / stream_length(streams) <= STREAMS_A_SECOND


def test_streams_last_five_minutes_at_most() -> None:
    assert stream_length(1_000_000) == 300
