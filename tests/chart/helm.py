"""Helm as a user runs it, on the two charts of this project."""

import functools
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "turnout"
CRDS_CHART = CHART / "charts" / "turnout-crds"
VALUE_SETS = sorted((CHART / "ci").glob("*-values.yaml"))
NAMESPACE = "turnout-system"

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Helm:
    """One Helm binary that keeps its own files in a directory of the test."""

    program: str
    home: Path
    kubeconfig: Path = Path(os.devnull)

    def run(self, *arguments: str) -> str:
        """Run a command to its end and return what it printed."""
        done = self._call(*arguments)
        assert done.returncode == 0, f"helm {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def refusal(self, *arguments: str) -> str:
        """Run a command that must fail and return why it did."""
        done = self._call(*arguments)
        assert done.returncode != 0, f"helm {' '.join(arguments)} was not refused"
        return done.stderr

    def render(self, *options: str, chart: Path = CHART) -> "Rendered":
        """Render a chart without a cluster; the same rendering is made once."""
        return _rendered(self, options, chart)

    def notes(self, *options: str) -> str:
        """Return what a user reads after the install."""
        text = self.run(
            "install", "turnout", str(CHART), "--namespace", NAMESPACE, "--dry-run=client", *options
        )
        return text.partition("\nNOTES:\n")[2]

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        own = {f"HELM_{kind}_HOME": str(self.home / kind) for kind in ("CACHE", "CONFIG", "DATA")}
        return subprocess.run(
            [self.program, *arguments],
            env={**os.environ, **own, "KUBECONFIG": str(self.kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )


@dataclass(frozen=True)
class Rendered:
    """The manifests of one rendering."""

    manifests: Sequence[Manifest]

    def all(self, kind: str) -> list[Manifest]:
        """Return all manifests of a kind."""
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]

    def one(self, kind: str, name: str | None = None) -> Manifest:
        """Return the only manifest of a kind, or the one of that name."""
        found = [m for m in self.all(kind) if name in {None, m["metadata"]["name"]}]
        assert len(found) == 1, f"{len(found)} manifests of {kind} {name or ''}"
        return found[0]

    @property
    def pod(self) -> Manifest:
        """The operator's pod template."""
        template: Manifest = self.one("Deployment")["spec"]["template"]
        return template

    @property
    def container(self) -> Manifest:
        """The operator's container."""
        container: Manifest = self.pod["spec"]["containers"][0]
        return container

    @property
    def settings_text(self) -> str:
        """The settings file that the operator reads."""
        text: str = self.one("ConfigMap")["data"]["settings.yaml"]
        return text


@functools.cache
def _rendered(helm: Helm, options: tuple[str, ...], chart: Path) -> Rendered:
    text = helm.run("template", "turnout", str(chart), "--namespace", NAMESPACE, *options)
    return Rendered([m for m in yaml.load_all(text, yaml.CSafeLoader) if m])
