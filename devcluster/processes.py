"""Long-lived programs: started detached, recorded with their start time, ended by that record.

A pid alone names whatever runs under it today. A pid with the kernel's start time names one
process for ever, so nothing that somebody else started is ever signalled.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from devcluster.errors import ClusterError
from devcluster.paths import program_path

_RECORD = "processes.json"
_POLL_SECONDS = 0.05
_LOG_TAIL_LINES = 15

# $1 is the log, $2 a cgroup.procs file or nothing, the rest is the program. It survives this
# shell, which only reports its pid and goes.
_LAUNCH = """
log=$1 procs=$2; shift 2
[ -z "$procs" ] || echo $$ > "$procs" || exit 1
"$@" >>"$log" 2>&1 </dev/null &
echo $!
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """How to run a daemon: enough to start it again exactly as it was."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    procs_file: str = ""
    """The cgroup.procs file that it joins first; empty for none."""


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """Where a cluster's programs run: its state directory and, with a node, its namespaces."""

    state_dir: Path
    enter: tuple[str, ...] = ()
    """The command that steps into the cluster's namespaces; empty for this machine itself."""
    procs_file: str = ""

    def start(self, name: str, *argv: str, env: Mapping[str, str] | None = None) -> Daemon:
        """Start and record a program of this cluster."""
        return start(
            self.state_dir, Program(name, [*self.enter, *argv], env or {}, self.procs_file)
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Daemon:
    """One running program of ours."""

    program: Program
    pid: int
    started: str
    """Start time in clock ticks since boot, as the kernel gives it."""
    wanted: bool = True
    """False while a test has taken it away on purpose."""

    @property
    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return _start_time(self.pid) == self.started


def start(state_dir: Path, program: Program) -> Daemon:
    """Start a program in its own session and record it in the state directory."""
    log = log_path(state_dir, program.name)
    log.parent.mkdir(parents=True, exist_ok=True)
    launch = ["sh", "-c", _LAUNCH, "launch", str(log), program.procs_file, *program.argv]
    launched = subprocess.run(
        launch,
        env={**os.environ, "PATH": program_path(), **program.env},
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
    )
    if launched.returncode:
        raise ClusterError(f"{program.name} could not be started: {launched.stderr.strip()}")
    pid = int(launched.stdout)
    daemon = Daemon(program, pid, _start_time(pid) or "gone")
    _write(state_dir, {**recorded(state_dir), program.name: daemon})
    return daemon


def recorded(state_dir: Path) -> dict[str, Daemon]:
    """Return every program started for this state directory, in the order of their start."""
    try:
        entries = json.loads((state_dir / _RECORD).read_text())
    except FileNotFoundError:
        return {}
    return {
        name: Daemon(**{**entry, "program": Program(**entry["program"])})
        for name, entry in entries.items()
    }


def stop(daemon: Daemon, grace_seconds: float = 10.0) -> None:
    """End a process: politely at first, then for good. A process that is not ours is let be."""
    for number, limit in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, 5.0)):
        if not daemon.alive:
            return
        os.kill(daemon.pid, number)
        if _gone_within(daemon, limit):
            return
    raise ClusterError(f"{daemon.program.name} (pid {daemon.pid}) does not end")


def stop_all(state_dir: Path, grace_seconds: float = 10.0) -> None:
    """End all recorded programs, the last started first."""
    for daemon in reversed(recorded(state_dir).values()):
        stop(daemon, grace_seconds)


def suspend(state_dir: Path, name: str) -> None:
    """End a recorded program until `restart`; its absence does not count as a failure."""
    daemons = recorded(state_dir)
    stop(daemons[name])
    _write(state_dir, {**daemons, name: dataclasses.replace(daemons[name], wanted=False)})


def restart(state_dir: Path, name: str, grace_seconds: float = 10.0) -> Daemon:
    """End a recorded program, if it still runs, and start it again with the same arguments."""
    daemon = recorded(state_dir)[name]
    stop(daemon, grace_seconds)
    return start(state_dir, daemon.program)


def wait_until(
    ready: Callable[[], bool], what: str, seconds: float, watched: Sequence[Daemon] = ()
) -> None:
    """Poll until ready; fail at the deadline, or at once when a watched process has died."""
    deadline = time.monotonic() + seconds
    while not ready():
        for daemon in watched:
            if not daemon.alive:
                raise ClusterError(f"{daemon.program.name} ended while waiting for {what}")
        if time.monotonic() > deadline:
            raise ClusterError(f"{what}: not within {seconds:.0f} s")
        time.sleep(_POLL_SECONDS)


def log_path(state_dir: Path, name: str) -> Path:
    """Return the file that takes a program's output."""
    return state_dir / "logs" / f"{name}.log"


def log_tail(state_dir: Path, name: str) -> str:
    """Return the last lines of a program's output, for an error message."""
    log = log_path(state_dir, name)
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])


def _gone_within(daemon: Daemon, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while daemon.alive:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _start_time(pid: int) -> str | None:
    """Read the state and start time (fields 3 and 22) behind the parenthesised program name."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _write(state_dir: Path, daemons: Mapping[str, Daemon]) -> None:
    record = state_dir / _RECORD
    draft = record.with_suffix(".draft")
    draft.write_text(json.dumps({k: dataclasses.asdict(v) for k, v in daemons.items()}, indent=1))
    draft.replace(record)
