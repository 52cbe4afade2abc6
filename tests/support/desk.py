"""The listener of an operator, as far as a Job knows it."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Desk:
    """Where reports are left.

    Attributes:
        statuses: What it says to the next reports; 200 to all after these.
        taken: The reports that it was brought, with the token.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.statuses: list[int] = []
        self.taken: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        token = request.headers["authorization"]
        self.taken.append(json.loads(await request.body()) | {"token": token})
        status = self.statuses.pop(0) if self.statuses else 200
        await Response("said", status)(scope, receive, send)

    @property
    def answer(self) -> Any:
        return json.loads(self.taken[-1]["answer"])
