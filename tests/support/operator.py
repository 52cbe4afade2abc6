"""The operator as a process of this machine, for tests that need only an API server.

In the cluster it runs from the chart under its own account; here it may run as whoever a
kubeconfig names, so that a test can kill it, stop it, or put a proxy in front of it.
"""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import yaml

from tests.support.kubectl import eventually

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "turnout", "--config", str(self._config)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"},
            )
        if wait:
            eventually(f"{self.name} is ready; its log is {self.log}", self.ready)
        return self

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

    def await_lead(self, timeout: float = 30) -> Self:
        """Wait until it leads: a lease of somebody who was killed must run out first."""
        eventually(f"{self.name} leads; its log is {self.log}", lambda: self.leads, timeout)
        return self

    def await_exit(self, timeout: float = 30) -> int:
        """Wait until it has ended by itself; returns its exit code."""
        assert self.process is not None
        return self.process.wait(timeout)

    def kill(self) -> None:
        """End it without a chance to say anything."""
        self._signal(signal.SIGKILL)

    def stop(self, timeout: float = 10) -> int:
        """Ask it to end; returns its exit code."""
        if self.process is None:
            return 0
        if self.running:
            self.process.terminate()
        return self.process.wait(timeout)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP, wait=False)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT, wait=False)

    def _signal(self, number: int, *, wait: bool = True) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        if wait:
            self.process.wait(10)

    def __enter__(self) -> Self:
        if not self.running:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.thaw()
            self.stop()
