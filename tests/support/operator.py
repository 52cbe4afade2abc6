"""The operator as a process of this machine, for tests that need only an API server.

In the cluster it runs from the chart under its own account; here it may run as whoever a
kubeconfig names, so that a test can kill it, stop it, or put a proxy in front of it.
"""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol, Self

import yaml
from typing_extensions import override

from tests.support.kubectl import PATIENCE, eventually
from turnout.__main__ import main

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Running(Protocol):
    """A process, in the words of Popen."""

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...


class OperatorProcess:
    """One replica."""

    def __init__(self, kubeconfig: Path, directory: Path, **settings: Any) -> None:
        self.port = free_port()
        self.name = settings.pop("pod_name", f"operator-{self.port}")
        self.log = directory / f"{self.name}.log"
        self._config = directory / f"{self.name}.yaml"
        chosen = {
            "podNamespace": "default",
            "podName": self.name,
            "port": self.port,
            "kubeconfig": str(kubeconfig),
            "unprotectedApprovals": "Accept",
        }
        self._config.write_text(yaml.safe_dump(chosen | settings))
        self.process: Running | None = None

    def start(self, *, wait: bool = True) -> Self:
        self.process = self._launch()
        if wait:
            eventually(f"{self.name} is ready; its log is {self.log}", self.ready)
        return self

    def _launch(self) -> Running:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "turnout", "--config", str(self._config)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"},
            )

    def ready(self) -> bool:
        assert self.running, self.log.read_text()[-2000:]
        return self.endpoint("readyz") is not None

    def endpoint(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=2) as got:
                return str(got.read().decode())
        except OSError:
            return None

    def metric(self, name: str, labels: Mapping[str, str] | None = None) -> float:
        """Read one of the operator's own metrics; 0 where it has no such series."""
        wanted = [f'{key}="{value}"' for key, value in (labels or {}).items()]
        lines = (self.endpoint("metrics") or "").splitlines()
        values = [
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith((f"{name}{{", f"{name} ")) and all(one in line for one in wanted)
        ]
        return sum(values)

    @property
    def leads(self) -> bool:
        return self.metric("turnout_leader") == 1

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def await_lead(self, timeout: float = PATIENCE) -> Self:
        """Wait until it leads: a lease of somebody who was killed must run out first."""
        eventually(f"{self.name} leads; its log is {self.log}", lambda: self.leads, timeout)
        return self

    def await_exit(self, timeout: float = PATIENCE) -> int:
        """Wait until it has ended by itself; returns its exit code."""
        assert self.process is not None
        return self.process.wait(timeout)

    def kill(self) -> None:
        """End it without a chance to say anything."""
        self._signal(signal.SIGKILL)

    def stop(self, timeout: float = PATIENCE) -> int:
        """Ask it to end; returns its exit code."""
        if self.process is None:
            return 0
        if self.running:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP, wait=False)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT, wait=False)

    def _signal(self, number: int, *, wait: bool = True) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        if wait:
            self.process.wait(PATIENCE)

    def __enter__(self) -> Self:
        if not self.running:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.thaw()
            self.stop()


class ForkedOperator(OperatorProcess):
    """The same program, forked from a server that has imported it: for tests with many starts.

    An operator takes a second to import. This one lives and is killed as any other process.
    """

    @override
    def _launch(self) -> Running:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["turnout.__main__"])
        process = context.Process(target=_run, args=(self._config, self.log))
        process.start()
        return _Forked(process)


class _Forked:
    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise TimeoutError(f"process {self._process.pid} has not ended")
        return code

    def send_signal(self, sig: int) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, sig)


def _run(config: Path, log: Path) -> None:
    """Be the operator: `python -m turnout --config CONFIG`."""
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.argv = ["turnout", "--config", str(config)]
    sys.exit(main())
