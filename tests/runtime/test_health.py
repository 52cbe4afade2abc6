import asyncio

import pytest
from aiohttp.test_utils import TestClient, TestServer

from turnout.runtime.health import STUCK, Pulse, endpoints
from turnout.runtime.telemetry import Telemetry


def unchanged() -> None:
    """Refresh nothing."""


async def answer(path: str, *, alive: bool = True, ready: bool = True) -> tuple[int, str]:
    app = endpoints(Telemetry().registry, lambda: alive, lambda: ready)
    async with TestClient(TestServer(app)) as client, client.get(path) as response:
        return response.status, await response.text()


async def test_a_loop_that_turns_is_healthy() -> None:
    assert await answer("/healthz") == (200, "ok")


async def test_a_loop_that_is_stuck_is_to_be_restarted() -> None:
    assert await answer("/healthz", alive=False) == (503, "the event loop is stuck")


async def test_a_replica_is_ready_once_it_has_read_everything() -> None:
    assert (await answer("/readyz"))[0] == 200
    status, text = await answer("/readyz", ready=False)
    assert status == 503
    assert "not complete" in text


async def test_a_replica_that_is_not_ready_is_still_healthy() -> None:
    assert (await answer("/healthz", ready=False))[0] == 200


async def test_metrics_are_exposed_from_the_start() -> None:
    status, text = await answer("/metrics")
    assert status == 200
    assert "turnout_leader 0.0" in text
    assert 'turnout_build_info{version="' in text


@pytest.mark.looptime
async def test_the_pulse_refreshes_gauges_with_each_turn() -> None:
    turns = []
    pulse = Pulse(Telemetry(), lambda: turns.append(asyncio.get_running_loop().time()))
    assert pulse.alive
    task = asyncio.create_task(pulse.run())
    await asyncio.sleep(5.1)
    assert len(turns) == 10
    assert pulse.alive
    task.cancel()


@pytest.mark.looptime
async def test_a_pulse_that_stopped_is_noticed() -> None:
    pulse = Pulse(Telemetry(), unchanged)
    task = asyncio.create_task(pulse.run())
    await asyncio.sleep(1.1)
    task.cancel()
    await asyncio.sleep(STUCK.total_seconds() - 1)
    assert pulse.alive
    await asyncio.sleep(1)
    assert not pulse.alive


@pytest.mark.looptime
async def test_the_lag_is_how_late_the_loop_turned() -> None:
    telemetry = Telemetry()
    task = asyncio.create_task(Pulse(telemetry, unchanged).run())
    await asyncio.sleep(2)
    assert telemetry.registry.get_sample_value("turnout_event_loop_lag_seconds") == pytest.approx(
        0, abs=0.01
    )
    task.cancel()
