"""How requests reach an agent."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from turnout.api.base import LABEL, Duration, Wire
from turnout.api.route import HTTPRouteSpec, Port
from turnout.api.schema import Cel

ServiceName = Annotated[
    str, Field(min_length=1, max_length=63, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
]
AppProtocol = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=rf"^({LABEL}(\.{LABEL})*/)?[A-Za-z0-9][-A-Za-z0-9_.]*$",
    ),
]


class TrafficMode(StrEnum):
    """What divides the traffic between two versions. May grow."""

    HTTP_ROUTE = "HTTPRoute"
    REPLICA_RATIO = "ReplicaRatio"


class TrafficState(StrEnum):
    """Whether the agent is on the air. May grow; an unknown word counts as Serving."""

    SERVING = "Serving"
    STOPPED = "Stopped"


class ServiceSpec(Wire):
    """The Service of the agent, which always leads to stable."""

    name: ServiceName | None = None
    """Name of the Service, the Agent's where absent; for where a Service of that name is there
    already. Example: support-agent."""
    port: Port
    """Port of the Service, and of the container. Example: 8080."""
    app_protocol: AppProtocol | None = None
    """Protocol on the port, as in a Service. Example: http."""


class Traffic(Wire):
    """How requests reach the agent, and how two versions share them."""

    cel = (
        Cel(
            "has(self.httpRoute) == (self.mode == 'HTTPRoute')",
            "httpRoute is required for mode HTTPRoute and has no place elsewhere",
        ),
        Cel("duration(self.drainTimeout) <= duration('24h')", "drainTimeout must be at most 24h"),
    )

    mode: TrafficMode
    """HTTPRoute divides requests by weight at a Gateway; ReplicaRatio needs no gateway and divides
    by the number of pods behind one Service, for weights up to 50. Example: HTTPRoute."""
    service: ServiceSpec
    """The Service of the agent. Example: {port: 8080}."""
    http_route: HTTPRouteSpec | None = None
    """For mode HTTPRoute: the route, in Gateway API's words, without backends.
    Example: {parentRefs: [{name: public, namespace: gateways}]}."""
    drain_timeout: Duration = "60s"
    """How long a pod that leaves may finish its requests. Example: 5m."""
    state: TrafficState = TrafficState.SERVING
    """Stopped takes the agent off the air: the route answers 503, the pods stay."""
