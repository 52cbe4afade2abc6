"""Whole runs without HTTP: the stand-in's moves, the shop's tools, and the agent's own verdict."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from standin.conversation import understand
from standin.mind import Answer, next_move
from standin.rules import Rule
from standin.shop import TOOLS, ShopError
from support_agent.verify import Deed, Record, judge, order_in
from tests.examples.mounted import spec

_DEFINITIONS = [
    {
        "function": {
            "name": tool["name"].replace(".", "_"),
            "description": tool["description"],
            "parameters": json.loads(tool["inputSchema"]),
        }
    }
    for tool in spec("tools")["tools"]
]
_NAMES = {tool["name"].replace(".", "_"): tool["name"] for tool in spec("tools")["tools"]}
_STEPS = 9


@dataclass(frozen=True)
class Run:
    """What happened in a run: moves, tokens thought, and the verdict."""

    moves: tuple[str, ...]
    deliberated: bool
    verdict: str


def play(prompt: str, task: str, temperature: float = 0.2) -> Run:
    """One customer's message, worked on under a prompt."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": prompt},
        {"role": "user", "content": task},
    ]
    moves: list[str] = []
    deeds: list[Deed] = []
    for step in range(_STEPS):
        request = {"messages": messages, "tools": _DEFINITIONS, "temperature": temperature}
        case = understand(request)
        move = next_move(case)
        moves.append(repr(move))
        if isinstance(move, Answer):
            verdict = judge(task, move.text, deeds, _record(task))
            return Run(tuple(moves), case.follows(Rule.DELIBERATION), verdict)
        try:
            result = TOOLS[_NAMES[move.tool]](move.arguments)
            deeds.append(Deed(_NAMES[move.tool], move.arguments, result))
        except ShopError as error:
            result = {"error": error.reason}
        call = {"id": str(step), "function": {"name": move.tool}}
        messages.append({"role": "assistant", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": str(step), "content": json.dumps(result)})
    raise AssertionError(f"no answer after {_STEPS} steps: {moves}")


def _record(task: str) -> Record:
    order = order_in(task)
    if order is None:
        return Record()
    facts = TOOLS["orders.lookup"]({"orderId": order})
    return Record(frozenset(facts["entitledTo"]), Decimal(facts.get("amountUSD", "0")))
