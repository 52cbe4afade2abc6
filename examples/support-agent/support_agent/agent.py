"""Works on a task: asks the model, calls the tools it wants, checks what comes out."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import ClientSession

from .content import Content, Message
from .kill import Orders
from .metrics import Metrics
from .model import Endpoint, ModelError, OnText, ToolCall
from .outcome import Outcome, Result
from .policy import LimitReachedError, Spending, model_allowed
from .settings import Settings
from .toolbox import Toolbox
from .tools import FactsUnavailableError, record_of
from .verify import VERIFIED, Deed, Record, judge, order_in

LONGEST_TASK = 300.0
"""Seconds after which a task ends where the policy names no time, or only watches it."""


class StoppedError(Exception):
    """A person stopped the agent."""


@dataclass
class Task:
    """One task under way."""

    said: str
    messages: list[Message]
    spent: Spending
    deeds: list[Deed] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    answer: str | None = None

    def end(self, outcome: Outcome, reason: str, text: str) -> Result:
        """Close the task."""
        return Result(
            outcome=outcome,
            reason=reason,
            text=text,
            answered=self.answer is not None,
            steps=self.spent.steps,
            tool_calls=self.spent.tool_calls,
            input_tokens=self.spent.input,
            output_tokens=self.spent.output,
            calls=tuple(self.calls),
        )


class Agent:
    """One version at work."""

    def __init__(
        self, settings: Settings, content: Content, endpoint: Endpoint, http: ClientSession
    ) -> None:
        self.metrics = Metrics(bound.tool.name for bound in content.tools.values())
        self._settings = settings
        self._content = content
        self._policy = content.policy
        self._endpoint = endpoint
        self._http = http
        self._orders = Orders(settings.kill_dir)
        self._toolbox = Toolbox(content, self._orders, http, self.metrics)

    async def work(self, conversation: Sequence[Message], on_text: OnText) -> Result:
        """Work on the last message of a conversation until it has an outcome, and count it.

        Whatever goes wrong outside becomes an outcome, never an exception.
        """
        started = time.monotonic()
        task = Task(
            said=str(conversation[-1]["content"]),
            messages=[*self._content.prompts, *conversation],
            spent=Spending(self._settings.price_input, self._settings.price_output),
        )
        result = await self._outcome(task, on_text)
        self.metrics.tasks.labels(result.outcome).inc()
        self.metrics.task_seconds.observe(time.monotonic() - started)
        return result

    async def _outcome(self, task: Task, on_text: OnText) -> Result:
        try:
            async with asyncio.timeout(self._time_limit()):
                answer = await self._converse(task, on_text)
            finding = judge(task.said, answer, task.deeds, await self._record(task.said))
        except TimeoutError:
            return task.end(Outcome.LIMITED, "Timeout", "The task took too long.")
        except LimitReachedError as limit:
            return task.end(Outcome.LIMITED, limit.reason, "The task needs more than it may use.")
        except StoppedError:
            return task.end(Outcome.LIMITED, "Stopped", "This agent was stopped by a person.")
        except ModelError as error:
            return task.end(Outcome.ERROR, error.reason, f"There is no answer: {error}.")
        except FactsUnavailableError:
            return task.end(Outcome.ERROR, "FactsUnavailable", task.answer or "")
        outcome = Outcome.SUCCESS if finding == VERIFIED else Outcome.FAILURE
        return task.end(outcome, finding, answer)

    async def _converse(self, task: Task, on_text: OnText) -> str:
        if not model_allowed(self._policy, self._content.model.name):
            self._stop("ModelNotAllowed")
        while task.answer is None:
            await self._step(task, on_text)
        return task.answer

    async def _step(self, task: Task, on_text: OnText) -> None:
        """One question to the model, and the tool calls that it answers with."""
        self._obey()
        if limit := task.spent.limit_before_step(self._policy.limits):
            self._stop(limit)
        task.spent.steps += 1
        self.metrics.steps.inc()
        reply, usage = await self._endpoint.ask(task.messages, on_text)
        task.spent.add(usage)
        self.metrics.tokens.labels("input").inc(usage.input)
        self.metrics.tokens.labels("output").inc(usage.output)
        task.messages.append(reply.message())
        for call in reply.calls:
            self._obey()
            if limit := task.spent.limit_before_tool_call(self._policy.limits):
                self._stop(limit)
            task.spent.tool_calls += 1
            task.calls.append(self._toolbox.named(call))
            answer = await self._toolbox.use(call, task.deeds)
            message = {"role": "tool", "tool_call_id": call.id, "content": answer.text}
            task.messages.append(message)
        if not reply.calls:
            self._obey()
            task.answer = reply.text

    def _obey(self) -> None:
        """End the task where a person stopped the agent, whatever the policy's mode."""
        if self._orders.now().stops:
            self.metrics.violations.labels("Stopped").inc()
            raise StoppedError

    def _stop(self, rule: str) -> None:
        """End the task, or just count where the policy only watches."""
        self.metrics.violations.labels(rule).inc()
        if self._policy.mode == "Enforce":
            raise LimitReachedError(rule)

    def _time_limit(self) -> float:
        limit = self._policy.limits.timeout
        if limit is None or self._policy.mode == "Audit":
            return LONGEST_TASK
        return min(limit.total_seconds(), LONGEST_TASK)

    async def _record(self, said: str) -> Record:
        order = order_in(said)
        if order is None:
            return Record()
        return await record_of(self._http, self._settings.shop_url, order)
