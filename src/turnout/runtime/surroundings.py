"""Facts about the cluster that seldom change: read at start and with every full list."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Ref
from turnout.adapters.ports import Cluster
from turnout.errors import Forbidden, NotFound

logger = structlog.stdlib.get_logger(__name__)

AGENT_CRD: Final = Ref(kinds.CUSTOM_RESOURCE_DEFINITION, "", "agents.turnout.dev")
APPROVAL_POLICY: Final = Ref(kinds.POLICY_BINDING, "", "turnout-approvals")


@dataclass
class Surroundings:
    """What every world is set in.

    Attributes:
        crd_uid: uid of the Agent CRD; empty where it may not be read.
        approvals_protected: True where an admission policy vouches for who approved, or an
            administrator accepts that none does.
        routes_served: True where the API server serves HTTPRoute.
    """

    crd_uid: str = ""
    approvals_protected: bool = False
    routes_served: bool = True


async def look_around(
    found: Surroundings, cluster: Cluster, *, accept_unprotected: bool, routes: Callable[[], bool]
) -> None:
    """Read the surroundings again; what may not be read counts as not there, and is said.

    Raises:
        Transient: The API server is unwell; what was known stays.
    """
    crd = await _get(cluster, AGENT_CRD)
    binding = await _get(cluster, APPROVAL_POLICY)
    uid = str(crd["metadata"]["uid"]) if crd else ""
    protected = accept_unprotected or binding is not None
    if found.crd_uid != uid or found.approvals_protected != protected:
        logger.info(
            "surroundings", crd_uid=uid, approvals="protected" if protected else "unprotected"
        )
    found.crd_uid, found.approvals_protected = uid, protected
    found.routes_served = routes()


async def _get(cluster: Cluster, ref: Ref) -> dict[str, dict[str, str]] | None:
    try:
        return dict(await cluster.get(ref))
    except NotFound:
        return None
    except Forbidden as error:
        logger.warning("not readable", object=str(ref), error=str(error))
        return None
