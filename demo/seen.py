"""Everything the demo has seen so far, told by watches and by the load generator."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from demo.api import Api, Document
from demo.errors import UnmetError
from demo.example import AGENT, NAMESPACE
from demo.load import Load, Request
from demo.pods import Pods
from demo.screen import Screen

_AGENTS: Final = f"/apis/turnout.dev/v1alpha1/namespaces/{NAMESPACE}/agents"
_ROUTES: Final = f"/apis/gateway.networking.k8s.io/v1/namespaces/{NAMESPACE}/httproutes"
_PODS: Final = f"/api/v1/namespaces/{NAMESPACE}/pods"
_EVENTS: Final = f"/api/v1/namespaces/{NAMESPACE}/events"


class Seen:
    """What is known, and a way to wait until it is as expected."""

    def __init__(self) -> None:
        self.agent: Document = {}
        self.weights: dict[str, int] = {}
        self.weights_at = 0.0
        self.pods = Pods()
        self.requests: list[Request] = []
        self.events: dict[str, Document] = {}
        self._changed = asyncio.Event()

    async def until(
        self, claim: Callable[[], bool], never: Callable[[], bool] = lambda: False
    ) -> float:
        """Wait until a claim holds; returns when, in seconds since 1970.

        Raises:
            UnmetError: What was never to happen did, so the claim will not come true.
        """
        while not claim():
            if never():
                raise UnmetError(self.standing())
            self._changed.clear()
            await self._changed.wait()
        return time.time()

    # what the Agent's status says

    @property
    def phase(self) -> str:
        """Where the Agent stands."""
        return str(self._status("phase") or "")

    @property
    def stable(self) -> str:
        """The stable version's name, empty where there is none."""
        return str((self._status("stable") or {}).get("version", ""))

    @property
    def candidate(self) -> str:
        """The candidate's name, empty where there is none."""
        return str((self._status("candidate") or {}).get("version", ""))

    @property
    def rollout(self) -> str:
        """Name of the newest rollout."""
        return str((self._status("rollout") or {}).get("name", ""))

    @property
    def message(self) -> str:
        """Why it stands there, as `kubectl describe` shows it."""
        found: list[Document] = self._status("conditions") or []
        progress = (one for one in found if one["type"] == "Progressing")
        return str(next(progress, {}).get("message", ""))

    def standing(self) -> str:
        """Say where the Agent stands, and why."""
        return f"the agent is {self.phase or 'not there'}: {self.message or 'no message'}"

    def told(self, reason: str, version: str) -> bool:
        """Claim that an Event with this reason speaks of a version."""
        return any(
            event["reason"] == reason and version in event["message"]
            for event in self.events.values()
        )

    def _status(self, field: str) -> Any:
        return self.agent.get("status", {}).get(field)

    # what customers got

    def first(self, version: str, *, bad: bool = False) -> float | None:
        """Tell when a version gave its first answer, or its first bad one."""
        answers = (
            one.answered_at
            for one in self.requests
            if one.version == version and not one.failed and (one.bad or not bad)
        )
        return min(answers, default=None)

    def last_sent_to(self, version: str) -> float:
        """Tell when the last request left that this version answered."""
        return max((one.sent_at for one in self.requests if one.version == version), default=0.0)

    # who tells it

    async def watch_agent(self, api: Api, screen: Screen) -> None:
        """Follow the Agent as `kubectl get -w` does, and print what it would print."""
        named = f"metadata.name={AGENT}"
        columns: list[Document] = []
        watch = api.watch(_AGENTS, table=True, fieldSelector=named, includeObject="Object")
        async for event in watch:
            table = event["object"]
            columns = table.get("columnDefinitions") or columns
            shown = [at for at, column in enumerate(columns) if column["priority"] == 0]
            names = [str(columns[at]["name"]).upper() for at in shown]
            for row in table["rows"]:
                if event["type"] != "DELETED":
                    cells = ["" if row["cells"][at] is None else row["cells"][at] for at in shown]
                    screen.row(names, [str(cell) for cell in cells])
                self.agent = row["object"]
            self._changed.set()

    async def watch_events(self, api: Api, screen: Screen) -> None:
        """Follow the Events about the Agent, and print each once."""
        about = f"involvedObject.kind=Agent,involvedObject.name={AGENT}"
        async for event in api.watch(_EVENTS, fieldSelector=about):
            told = event["object"]
            name = told["metadata"]["name"]
            if event["type"] != "DELETED" and name not in self.events:
                self.events[name] = told
                warning = told["type"] == "Warning"
                screen.event(told["reason"], told["message"], warning=warning)
                self._changed.set()

    async def watch_pods(self, api: Api) -> None:
        """Follow the agent's pods."""
        selector = f"turnout.dev/agent={AGENT}"
        async for event in api.watch(_PODS, labelSelector=selector):
            self.pods.see(event, time.time())
            self._changed.set()

    async def watch_route(self, api: Api) -> None:
        """Follow the weights that the gateway is given."""
        async for event in api.watch(_ROUTES, fieldSelector=f"metadata.name={AGENT}"):
            rules = event["object"]["spec"].get("rules", [])
            backends = rules[0].get("backendRefs", []) if rules else []
            weights = {one["name"]: one.get("weight", 1) for one in backends}
            if weights != self.weights:
                self.weights, self.weights_at = weights, time.time()
                self._changed.set()

    async def read_books(self, load: Load) -> None:
        """Follow the load generator's books."""
        async for request in load.requests():
            self.requests.append(request)
            self._changed.set()
