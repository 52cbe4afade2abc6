"""The tools of a version, each call held against the policy and counted."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import ClientSession

from .content import BoundTool, Content
from .kill import Orders
from .metrics import UNKNOWN_TOOL, Metrics, ToolOutcome
from .model import ToolCall
from .policy import Permission, permission
from .tools import ToolAnswer, call, refusal
from .verify import Deed


class Toolbox:
    """Makes the calls that the model wants, as far as the policy lets it."""

    def __init__(
        self, content: Content, orders: Orders, http: ClientSession, metrics: Metrics
    ) -> None:
        self._tools = content.tools
        self._policy = content.policy
        self._orders = orders
        self._http = http
        self._metrics = metrics

    def named(self, wanted: ToolCall) -> ToolCall:
        """Give a call by the tool's own name, which models cannot always say."""
        bound = self._tools.get(wanted.name)
        return replace(wanted, name=bound.tool.name) if bound else wanted

    async def use(self, wanted: ToolCall, deeds: list[Deed]) -> ToolAnswer:
        """Make a call, or tell the model why not; what succeeds is added to the deeds."""
        bound = self._tools.get(wanted.name)
        if bound is None:
            self._count(UNKNOWN_TOOL, ToolOutcome.REFUSED)
            return refusal("NoSuchTool", f"there is no tool {wanted.name}")
        arguments = _arguments(wanted.arguments)
        if arguments is None:
            self._count(bound.tool.name, ToolOutcome.REFUSED)
            return refusal("BadArguments", "the arguments must be a JSON object")
        if refused := self._forbids(bound):
            self._count(bound.tool.name, ToolOutcome.REFUSED)
            return refusal(refused, f"the policy does not let {bound.tool.name} be called")
        return await self._make(bound, arguments, deeds)

    async def _make(
        self, bound: BoundTool, arguments: Mapping[str, Any], deeds: list[Deed]
    ) -> ToolAnswer:
        with self._metrics.tool_seconds.time():
            answer = await call(self._http, bound.url, arguments)
        if answer.result is None:
            self._count(bound.tool.name, ToolOutcome.ERROR)
            return answer
        self._count(bound.tool.name, ToolOutcome.SUCCESS)
        deeds.append(Deed(bound.tool.name, arguments, answer.result))
        return answer

    def _forbids(self, bound: BoundTool) -> Permission | None:
        if self._orders.now().forbids(bound.tool):
            # Whoever throws a switch means it, whatever the policy's mode.
            self._metrics.violations.labels(Permission.KILLED).inc()
            return Permission.KILLED
        found = permission(self._policy, bound.tool)
        if found is Permission.GRANTED:
            return None
        self._metrics.violations.labels(found).inc()
        # An approval that the registry demands is no matter of the policy's mode.
        audited = self._policy.mode == "Audit" and bound.tool.approval == "NotRequired"
        return None if audited else found

    def _count(self, tool: str, outcome: ToolOutcome) -> None:
        self._metrics.tool_calls.labels(tool, outcome).inc()


def _arguments(text: str) -> Mapping[str, Any] | None:
    try:
        arguments = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, dict) else None
