"""Where things lie: the checkout, the cache outside it, and one directory for each cluster."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent
MANIFESTS = PACKAGE / "manifests"


def cache() -> Path:
    """Return the directory for everything built or fetched: TURNOUT_CACHE or ~/.cache/turnout."""
    chosen = os.environ.get("TURNOUT_CACHE")
    return Path(chosen).resolve() if chosen else Path.home() / ".cache" / "turnout"


def clusters() -> Path:
    """Return the directory that holds one state directory for each cluster."""
    return cache() / "clusters"


def state_dir(name: str) -> Path:
    """Return where the cluster of this name keeps all that it writes."""
    return clusters() / name


def default_name(profile: str, checkout: Path = CHECKOUT) -> str:
    """Name a cluster after its checkout, so that two checkouts never share one by accident."""
    slug = re.sub(r"[^a-z0-9]+", "-", checkout.name.lower()).strip("-")[:20] or "checkout"
    return f"{slug}-{short_hash(str(checkout), 6)}-{profile}"


def program_path() -> str:
    """Return PATH with the directories of system programs, which some users' PATH lacks."""
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def short_hash(text: str, length: int) -> str:
    """Return the first hex digits of a text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]
