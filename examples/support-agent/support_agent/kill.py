"""What a person stopped, read anew before each deed: the files change while a task is under way."""

from pathlib import Path

from pydantic import ValidationError

from .documents import Document, Tool
from .policy import matches

_FILES = ("order.json", "standing-order.json")
"""What this pod was told; where that is nothing yet, what every pod is told."""


class Order(Document):
    """An order; a word that this agent does not know stops it."""

    agent: str = "Allow"
    tools: tuple[str, ...] = ()
    traffic: str = "Serving"

    @property
    def stops(self) -> bool:
        """Whether the agent may do nothing any more."""
        return self.agent != "Allow" or self.traffic != "Serving"

    def forbids(self, tool: Tool) -> bool:
        """Whether a tool may not be called."""
        return self.stops or matches(self.tools, tool.name)


STOPPED = Order(agent="Stop")


class Orders:
    """The folder in which orders appear."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def now(self) -> Order:
        """The order in force; one that cannot be read stops everything."""
        try:
            texts = [self._text(name) for name in _FILES]
            return next((Order.model_validate_json(text) for text in texts if text), Order())
        except (OSError, ValidationError):
            return STOPPED

    def _text(self, name: str) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return b""
