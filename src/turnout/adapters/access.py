"""Which cluster a person means, in kubectl's own words."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Access:
    """Which cluster, and as whom: kubectl's own options.

    Attributes:
        kubeconfig: Kubeconfig in place of $KUBECONFIG and ~/.kube/config.
        context: Context in place of the kubeconfig's current one.
        namespace: Namespace in place of the context's.
        user: Name to act under, where the caller may impersonate it.
    """

    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None
    user: str | None = None

    @property
    def files(self) -> str:
        """The kubeconfigs to merge, as $KUBECONFIG has them."""
        if self.kubeconfig is not None:
            return str(self.kubeconfig)
        return os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")

    @property
    def has_kubeconfig(self) -> bool:
        """Whether one of the kubeconfigs is there; a pod has none, and an account of its own."""
        files = self.files.split(os.pathsep)
        return any(Path(one).expanduser().exists() for one in files if one)
