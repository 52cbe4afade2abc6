"""The API server as a person uses it: with a kubeconfig, and under that person's own name."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from turnout.adapters.access import Access
from turnout.adapters.decoding import decode
from turnout.adapters.documents import Document, Ref
from turnout.adapters.kube import KubeCluster
from turnout.adapters.refusals import Call
from turnout.errors import Invalid

PERSON_MANAGER: Final = "turnout-person"
"""Field manager of what a person asks for: tools that own a spec leave its fields alone."""

_POD_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_REVIEW: Final = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


class PersonCluster(KubeCluster):
    """The Cluster port, and the few writes that a person makes.

    Attributes:
        namespace: Namespace that names without one are in.
    """

    def __init__(self, client: ApiClient, namespace: str) -> None:
        super().__init__(client)
        self.namespace = namespace

    async def who(self) -> str:
        """Return the caller's user name, as the API server knows it."""
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        resource = "selfsubjectreviews.authentication.k8s.io"
        answer = decode(await self._send(Call("create", resource, path, "your name", _REVIEW)))
        return str(answer["status"]["userInfo"]["username"])

    async def ask(
        self,
        ref: Ref,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        dry_run: bool = False,
    ) -> Document:
        """Patch what a person may: a list is a JSON patch, a mapping a merge patch.

        Raises:
            NotFound: It is not there.
            Invalid: The API server refused it; its words say why.
        """
        kind = "merge-patch" if isinstance(patch, Mapping) else "json-patch"
        options = {"fieldManager": PERSON_MANAGER} | ({"dryRun": "All"} if dry_run else {})
        return await self._patch(ref, patch, f"application/{kind}+json", options)


@asynccontextmanager
async def sign_in(access: Access) -> AsyncIterator[PersonCluster]:
    """Open the cluster that a kubeconfig leads to, or the one that this pod is in.

    Raises:
        Invalid: There is no usable kubeconfig, or no such context.
    """
    settings = Configuration()
    try:
        if access.has_kubeconfig:
            namespace = await _by_kubeconfig(access, settings)
        else:
            namespace = _as_pod(access, settings)
    except (config.ConfigException, OSError, KeyError, TypeError, ValueError) as error:
        raise Invalid("NoAccess", f"{access.files}: {error}") from error
    async with ApiClient(settings) as client:
        client.user_agent = "turnout-cli"
        if access.user is not None:
            client.set_default_header("Impersonate-User", access.user)
        yield PersonCluster(client, access.namespace or namespace)


async def _by_kubeconfig(access: Access, settings: Configuration) -> str:
    await config.load_kube_config(
        config_file=access.files,
        context=access.context,
        client_configuration=settings,
        persist_config=False,
    )
    contexts, current = config.list_kube_config_contexts(config_file=access.files)
    chosen = next((one for one in contexts if one["name"] == access.context), current)
    return str(chosen["context"].get("namespace") or "default")


def _as_pod(access: Access, settings: Configuration) -> str:
    if access.kubeconfig is not None or access.context is not None or not _POD_NAMESPACE.exists():
        raise Invalid("NoAccess", f"{access.files} does not exist: give --kubeconfig")
    config.load_incluster_config(client_configuration=settings)
    return _POD_NAMESPACE.read_text(encoding="utf-8").strip()
