"""The user's part of an HTTPRoute: Gateway API's own words, without the backends.

What stands here is handed to the gateway as it is; the operator adds one backend per version.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from turnout.api.base import LABEL, FineDuration, Name, Wire
from turnout.api.schema import ATOMIC, Cel

Port = Annotated[int, Field(ge=1, le=65535)]
Subdomain = Annotated[str, Field(min_length=1, max_length=253, pattern=rf"^{LABEL}(\.{LABEL})*$")]
Hostname = Annotated[
    str, Field(min_length=1, max_length=253, pattern=rf"^(\*\.)?{LABEL}(\.{LABEL})*$")
]
PlainHostname = Annotated[
    str, Field(min_length=1, max_length=253, pattern=rf"^{LABEL}(\.{LABEL})*$")
]
HeaderName = Annotated[
    str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$")
]
HeaderValue = Annotated[str, Field(min_length=1, max_length=4096)]
Path = Annotated[str, Field(min_length=1, max_length=1024)]


class PathMatchType(StrEnum):
    """How a path is compared. May grow."""

    EXACT = "Exact"
    PATH_PREFIX = "PathPrefix"
    REGULAR_EXPRESSION = "RegularExpression"


class ValueMatchType(StrEnum):
    """How the value of a header or query parameter is compared. May grow."""

    EXACT = "Exact"
    REGULAR_EXPRESSION = "RegularExpression"


class Method(StrEnum):
    """HTTP methods that a match may ask for."""

    GET = "GET"
    HEAD = "HEAD"
    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"
    CONNECT = "CONNECT"
    OPTIONS = "OPTIONS"
    TRACE = "TRACE"
    PATCH = "PATCH"


class ParentRef(Wire):
    """A Gateway that the agent's route attaches to."""

    name: Subdomain
    """Name of the Gateway. Example: public."""
    namespace: Name | None = None
    """Namespace of the Gateway, the Agent's own where absent; the Gateway's allowedRoutes decides
    who may attach. The one reference in this group that leaves a namespace.
    Example: gateways."""
    section_name: Subdomain | None = None
    """Listener of the Gateway, all of them where absent. Example: https."""
    port: Port | None = None
    """Port of the Gateway's listener, all of them where absent. Example: 443."""


class PathMatch(Wire):
    """Matches the path of a request."""

    type: PathMatchType = PathMatchType.PATH_PREFIX
    """How the path is compared."""
    value: Path = "/"
    """What the path is compared with. Example: /v1/support."""


class HeaderMatch(Wire):
    """Matches a header of a request."""

    type: ValueMatchType = ValueMatchType.EXACT
    """How the value is compared."""
    name: HeaderName
    """Name of the header, in any case. Example: x-team."""
    value: HeaderValue
    """What the value is compared with. Example: staff."""


class QueryParamMatch(Wire):
    """Matches a query parameter of a request."""

    type: ValueMatchType = ValueMatchType.EXACT
    """How the value is compared."""
    name: HeaderName
    """Name of the parameter. Example: channel."""
    value: HeaderValue
    """What the value is compared with. Example: chat."""


class RouteMatch(Wire):
    """Requests that have all of these properties."""

    path: PathMatch | None = None
    """The path of the request; every path where absent."""
    headers: Annotated[tuple[HeaderMatch, ...], Field(max_length=16), ATOMIC] = ()
    """Headers that the request must have, all of them."""
    query_params: Annotated[tuple[QueryParamMatch, ...], Field(max_length=16), ATOMIC] = ()
    """Query parameters that the request must have, all of them."""
    method: Method | None = None
    """Method of the request; every method where absent. Example: POST."""


class Header(Wire):
    """A header and its value."""

    name: HeaderName
    """Name of the header. Example: x-tenant."""
    value: HeaderValue
    """Value of the header. Example: support."""


class HeaderFilter(Wire):
    """Changes to headers."""

    set: Annotated[tuple[Header, ...], Field(max_length=16), ATOMIC] = ()
    """Headers that are overwritten."""
    add: Annotated[tuple[Header, ...], Field(max_length=16), ATOMIC] = ()
    """Headers that are added to what is there."""
    remove: Annotated[tuple[HeaderName, ...], Field(max_length=16), ATOMIC] = ()
    """Names of headers that are taken away. Example: [x-debug]."""


class PathRewriteType(StrEnum):
    """Which part of a path is rewritten. May grow."""

    REPLACE_FULL_PATH = "ReplaceFullPath"
    REPLACE_PREFIX_MATCH = "ReplacePrefixMatch"


class PathRewrite(Wire):
    """A new path, or a new beginning of it."""

    cel = (
        Cel(
            "has(self.replaceFullPath) == (self.type == 'ReplaceFullPath') && "
            "has(self.replacePrefixMatch) == (self.type == 'ReplacePrefixMatch')",
            "give replaceFullPath or replacePrefixMatch, the one that type names",
        ),
    )

    type: PathRewriteType
    """Which part is rewritten."""
    replace_full_path: Path | None = None
    """The whole new path. Example: /v1/chat."""
    replace_prefix_match: Path | None = None
    """What replaces the prefix that was matched. Example: /."""


class UrlRewrite(Wire):
    """Changes to the URL of a request."""

    hostname: PlainHostname | None = None
    """The new Host header. Example: support.internal."""
    path: PathRewrite | None = None
    """The new path."""


class FilterType(StrEnum):
    """Filters that a route may carry. Mirrors and redirects are not among them. May grow."""

    REQUEST_HEADER_MODIFIER = "RequestHeaderModifier"
    RESPONSE_HEADER_MODIFIER = "ResponseHeaderModifier"
    URL_REWRITE = "URLRewrite"


class RouteFilter(Wire):
    """One change to requests or answers on their way."""

    cel = (
        Cel(
            "has(self.requestHeaderModifier) == (self.type == 'RequestHeaderModifier') && "
            "has(self.responseHeaderModifier) == (self.type == 'ResponseHeaderModifier') && "
            "has(self.urlRewrite) == (self.type == 'URLRewrite')",
            "give the block that type names, and only that one",
        ),
    )

    type: FilterType
    """What kind of change this is; the block of that name follows."""
    request_header_modifier: HeaderFilter | None = None
    """Changes to the headers of requests."""
    response_header_modifier: HeaderFilter | None = None
    """Changes to the headers of answers."""
    url_rewrite: UrlRewrite | None = None
    """Changes to the URL of requests."""


class RouteTimeouts(Wire):
    """How long the gateway waits; 0s means for ever."""

    request: FineDuration | None = None
    """From the first byte of a request to the last of its answer. Example: 2m."""
    backend_request: FineDuration | None = None
    """One attempt at a pod; not longer than request. Example: 30s."""


class RouteRule(Wire):
    """One rule of the route. It names no backends: the operator fills in the versions."""

    name: Name | None = None
    """Name of the rule, for policies that attach to it. Example: chat."""
    matches: Annotated[tuple[RouteMatch, ...], Field(max_length=8), ATOMIC] = ()
    """Requests that the rule takes, any of these; all requests where empty."""
    filters: Annotated[tuple[RouteFilter, ...], Field(max_length=8), ATOMIC] = ()
    """Changes to requests and answers, the same for every version."""
    timeouts: RouteTimeouts | None = None
    """How long the gateway waits."""


class HTTPRouteSpec(Wire):
    """The route of an agent, without its backends."""

    parent_refs: Annotated[tuple[ParentRef, ...], Field(min_length=1, max_length=8), ATOMIC]
    """Gateways that carry the agent's traffic."""
    hostnames: Annotated[tuple[Hostname, ...], Field(max_length=16), ATOMIC] = ()
    """Hosts that the route answers for; every host of the listener where empty.
    Example: [support.example.com]."""
    rules: Annotated[tuple[RouteRule, ...], Field(min_length=1, max_length=16), ATOMIC] = (
        RouteRule(),
    )
    """Rules in Gateway API's words. One rule that takes every request where absent."""
