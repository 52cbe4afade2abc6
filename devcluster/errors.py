"""What a developer sees when a cluster cannot be had."""

from __future__ import annotations


class ClusterError(Exception):
    """A cluster, a build or an image cannot be had; the message says what to do about it."""
