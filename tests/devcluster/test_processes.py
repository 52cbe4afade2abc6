import dataclasses
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from devcluster import processes
from devcluster.errors import ClusterError
from devcluster.processes import Daemon, Program, Site


def test_a_started_program_is_recorded_and_alive(state: Path) -> None:
    started = Site(state).start("sleeper", "sleep", "60")
    assert processes.recorded(state) == {"sleeper": started}
    assert started.alive


def test_a_program_leads_a_session_apart_from_the_one_that_started_it(state: Path) -> None:
    started = Site(state).start("sleeper", "sleep", "60")
    assert os.getsid(started.pid) != os.getsid(0)


def test_ending_a_program_ends_it(state: Path) -> None:
    started = Site(state).start("sleeper", "sleep", "60")
    processes.stop(started)
    assert not started.alive


def test_a_program_that_will_not_go_politely_is_killed(state: Path) -> None:
    script = "trap '' TERM; echo deaf; while :; do sleep 0.1; done"
    started = Site(state).start("deaf", "sh", "-c", script)
    processes.wait_until(lambda: "deaf" in processes.log_tail(state, "deaf"), "the trap", 10)
    processes.stop(started, grace_seconds=0.2)
    assert not started.alive


def test_a_stranger_under_a_recorded_pid_is_never_signalled(state: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        recorded = Daemon(Program("gone", ["sleep"]), stranger.pid, started="1")
        processes.stop(recorded)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen(["true"])
    deadline = time.monotonic() + 10
    while _state_of(child.pid) != "Z" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _state_of(child.pid) == "Z"
    assert processes._start_time(child.pid) is None
    child.wait()


def test_output_and_environment_are_the_program_s_own(state: Path) -> None:
    Site(state).start("speaker", "sh", "-c", "echo $WORD; echo aside >&2", env={"WORD": "hello"})
    processes.wait_until(
        lambda: processes.log_tail(state, "speaker") == "hello\naside", "its words", 10
    )
    assert processes.log_path(state, "speaker").is_file()


def test_a_suspended_program_is_not_missed_until_it_is_restarted(state: Path) -> None:
    Site(state).start("sleeper", "sleep", "60")
    processes.suspend(state, "sleeper")
    suspended = processes.recorded(state)["sleeper"]
    assert (suspended.wanted, suspended.alive) == (False, False)
    restarted = processes.restart(state, "sleeper")
    assert restarted.alive
    assert processes.recorded(state)["sleeper"] == restarted


def test_a_program_restarts_with_the_arguments_it_had(state: Path) -> None:
    first = Site(state).start("sleeper", "sleep", "61")
    second = processes.restart(state, "sleeper")
    assert first.pid != second.pid
    assert Path(f"/proc/{second.pid}/cmdline").read_bytes() == b"sleep\x0061\x00"


def test_the_last_started_is_ended_first(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second"):
        Site(state).start(name, "sleep", "60")
    ended: list[str] = []
    monkeypatch.setattr(processes, "stop", lambda d, _grace: ended.append(d.program.name))
    processes.stop_all(state)
    monkeypatch.undo()
    assert ended == ["second", "first"]


def test_waiting_fails_at_once_when_the_watched_program_has_died(state: Path) -> None:
    started = Site(state).start("sleeper", "sleep", "60")
    os.kill(started.pid, signal.SIGKILL)
    with pytest.raises(ClusterError, match="sleeper ended while waiting for spring"):
        processes.wait_until(lambda: False, "spring", 60, [started])


def test_waiting_ends_at_its_limit() -> None:
    with pytest.raises(ClusterError, match="spring: not within 0 s"):
        processes.wait_until(lambda: False, "spring", 0.1)


def test_a_program_that_cannot_join_its_cgroup_is_not_started(state: Path) -> None:
    with pytest.raises(ClusterError, match="sleeper could not be started"):
        Site(state, procs_file="/nowhere/cgroup.procs").start("sleeper", "sleep", "60")
    assert processes.recorded(state) == {}


def test_a_record_survives_being_written_and_read(state: Path) -> None:
    program = Program("sleeper", ["sleep", "60"], {"A": "b"})
    started = processes.start(state, program)
    [read] = processes.recorded(state).values()
    assert dataclasses.asdict(read) == dataclasses.asdict(started)


def _state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
