"""The light cluster of the tests: one for all of them, left running for the next run."""

import functools

from devcluster import Cluster, up
from turnout.settings import Settings


@functools.cache
def light_cluster() -> Cluster:
    """Return a running light cluster."""
    return up("light", name="tests-light")


def light_settings() -> Settings:
    """Return settings that use it as its administrator."""
    return Settings(kubeconfig=light_cluster().kubeconfig)
