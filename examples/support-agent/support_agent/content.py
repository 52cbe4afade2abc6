"""Loads what the operator mounted: one version's prompts, tools, model and policy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from .documents import AgentDocument, Document, Model, Policy, Role, Tool, ToolsDocument

Message = dict[str, Any]
"""A chat message in the form that the model's endpoint takes."""

_D = TypeVar("_D", bound=Document)


class ContentError(Exception):
    """The mounted content cannot be used; the message names the file and the place in it."""


@dataclass(frozen=True)
class BoundTool:
    """A tool with the address that it is called at."""

    tool: Tool
    url: str

    @property
    def wire_name(self) -> str:
        """The name that the model sees: endpoints take no dots in it."""
        return self.tool.name.replace(".", "_")


@dataclass(frozen=True)
class Content:
    """One version, ready for use.

    Attributes:
        prompts: The messages that precede every task.
        tools: By the name that the model sees.
    """

    agent: str
    model: Model
    prompts: tuple[Message, ...]
    tools: dict[str, BoundTool]
    policy: Policy


def load(folder: Path) -> Content:
    """Read a version's content.

    Raises:
        ContentError: A file is missing or cannot be used.
    """
    document = _read(folder / "agent.json", AgentDocument)
    texts = [(p.role, _text(folder / p.file)) for p in document.prompts]
    tools = _read(folder / document.tools, ToolsDocument) if document.tools else ToolsDocument()
    policy = _read(folder / document.policy, Policy) if document.policy else Policy()
    return Content(
        agent=document.agent,
        model=document.model,
        prompts=tuple(_messages(texts)),
        tools=_bind(tools),
        policy=policy,
    )


def _messages(texts: list[tuple[Role, str]]) -> list[Message]:
    """A fragment continues the message before it; the first one begins a system message."""
    messages: list[Message] = []
    for role, text in texts:
        if role is Role.FRAGMENT and messages:
            messages[-1]["content"] += f"\n\n{text}"
        else:
            name = Role.SYSTEM if role is Role.FRAGMENT else role
            messages.append({"role": name.lower(), "content": text})
    return messages


def _bind(document: ToolsDocument) -> dict[str, BoundTool]:
    servers = {server.name: server.url.rstrip("/") for server in document.servers}
    bound: dict[str, BoundTool] = {}
    for tool in document.tools:
        if tool.server not in servers:
            raise ContentError(f"tool {tool.name}: there is no server {tool.server}")
        entry = BoundTool(tool, f"{servers[tool.server]}/{tool.name}")
        if entry.wire_name in bound:
            raise ContentError(f"tool {tool.name}: another is called {entry.wire_name} as well")
        bound[entry.wire_name] = entry
    return bound


def _read(path: Path, form: type[_D]) -> _D:
    try:
        return form.model_validate_json(_text(path))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ContentError(f"{path.name}: {place or 'document'}: {first['msg']}") from None


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise ContentError(f"{path.name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ContentError(f"{path.name}: is not UTF-8 text") from None
