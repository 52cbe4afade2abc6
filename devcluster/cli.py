"""The command line: build, up, down, status, env."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from devcluster import cluster as records
from devcluster import external, golang, images, lifecycle, network, runtime
from devcluster.catalog import GROUPS, PROFILES
from devcluster.cluster import Cluster
from devcluster.errors import ClusterError
from devcluster.paths import default_name
from devcluster.progress import Progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what it says, 1 with a plain message otherwise."""
    asked = _parser().parse_args(arguments)
    if getattr(asked, "kubeconfig", None):
        os.environ[external.KUBECONFIG] = asked.kubeconfig
    try:
        asked.run(asked)
    except ClusterError as error:
        print(f"devcluster: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m devcluster", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    build = command(
        "build", _build, "build a profile's programs, or the named ones, into the cache"
    )
    build.add_argument("--profile", choices=PROFILES, default="node")
    build.add_argument("program", nargs="*", choices=[[], *(p for g in GROUPS for p in g.packages)])
    up = command("up", _up, "make a cluster, or find it running")
    up.add_argument("--profile", choices=PROFILES, default="node")
    up.add_argument("--name", help="default: named after the checkout and the profile")
    down = command("down", _down, "take a cluster away")
    command("status", _status, "list the clusters of this machine")
    env = command("env", _env, "print what a shell needs to talk to a cluster: eval it")
    load = command("load", _load, "import an image archive (as docker save writes) into a node")
    load.add_argument("file", type=Path)
    load_images = command("images", _images, "build the project's images and load them into a node")
    load_images.add_argument("--only", choices=[image.target for image in images.IMAGES])
    for talking in (up, env):
        talking.add_argument("--kubeconfig", help=f"an own cluster; also by {external.KUBECONFIG}")
    for named in (down, env, load, load_images):
        named.add_argument("--profile", choices=PROFILES, default="node")
        named.add_argument("--name", help="default: named after the checkout and the profile")
    return parser


def _build(asked: argparse.Namespace) -> None:
    if not asked.program:
        lifecycle.build(asked.profile)
        return
    golang.build(asked.program, Progress(len(golang.missing(asked.program))))


def _up(asked: argparse.Namespace) -> None:
    _describe(lifecycle.up(asked.profile, asked.name))


def _down(asked: argparse.Namespace) -> None:
    name = _name(asked)
    print(f"{name}: " + ("gone" if lifecycle.down(name) else "there was none"))


def _status(_: argparse.Namespace) -> None:
    for name in records.names():
        found = records.load(name)
        state = _state(found)
        print(
            f"{name}  {found.profile if found else '?'}  {state}  {found.server if found else ''}"
        )


def _state(found: Cluster | None) -> str:
    if found is None:
        return "incomplete"
    return "running" if found.whole else "broken"


def _env(asked: argparse.Namespace) -> None:
    chosen = external.named()
    found = external.connect(chosen) if chosen else records.find(_name(asked))
    directories = {str(Path(found.kubectl).parent), str(Path(found.helm).parent)}
    for key, value in found.environment.items():
        print(f"export {key}={shlex.quote(value)}")
    print(f'export PATH={shlex.quote(":".join(sorted(directories)))}:"$PATH"')


def _load(asked: argparse.Namespace) -> None:
    found = records.find(_name(asked))
    runtime.load(network.inside(found.name), asked.file)


def _images(asked: argparse.Namespace) -> None:
    found = records.find(_name(asked))
    wanted = [i for i in images.IMAGES if asked.only in (None, i.target)]
    progress = Progress(len(wanted) + sum(not images.archive_of(i).exists() for i in wanted))
    for image in wanted:
        images.load(found, image, progress)


def _name(asked: argparse.Namespace) -> str:
    return asked.name or default_name(asked.profile)


def _describe(made: Cluster) -> None:
    print(f"cluster {made.name} ({made.profile}) is up: {made.server}")
    for title, value in (
        ("kubeconfig", made.kubeconfig),
        ("prometheus", made.prometheus_url),
        ("gateway", made.gateway_url),
    ):
        if value:
            print(f"  {title:<11}{value}")
    if made.engine == "external":
        return
    print(f'  use it:    eval "$(python3 -m devcluster env --name {made.name})"')
