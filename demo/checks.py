"""What must happen, by name: each with a limit of time, each noted whether it held."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from demo.errors import UnmetError
from demo.screen import Screen, clock

_T = TypeVar("_T")


@dataclass(frozen=True)
class Check:
    """One expectation and what became of it."""

    name: str
    held: bool
    detail: str


class Checks:
    """All expectations so far, in their order.

    Args:
        screen: Where it is shown what is waited for.
        standing: Says where things stand, for what did not happen in time.
    """

    def __init__(self, screen: Screen, standing: Callable[[], str]) -> None:
        self.noted: list[Check] = []
        self._screen = screen
        self._standing = standing

    @property
    def all_held(self) -> bool:
        """Claim that nothing was unmet."""
        return all(check.held for check in self.noted)

    def note(self, name: str, detail: str = "", *, held: bool) -> None:
        """Note an expectation that is known to have held or not."""
        self.noted.append(Check(name, held, detail))

    async def within(self, limit: float, name: str, happening: Awaitable[_T]) -> _T:
        """Wait for something to happen, at most `limit` seconds, and note whether it did.

        Raises:
            UnmetError: It did not, and the story cannot go on.
        """
        began = time.monotonic()
        waiting = asyncio.create_task(self._say_waiting(name, began, limit))
        try:
            async with asyncio.timeout(limit):
                result = await happening
        except TimeoutError:
            return self._unmet(name, f"not within {limit:.0f} s; {self._standing()}")
        except UnmetError as why:
            return self._unmet(name, str(why))
        finally:
            waiting.cancel()
            self._screen.wait(None)
        self.note(name, f"after {time.monotonic() - began:.1f} s", held=True)
        return result

    async def _say_waiting(self, name: str, began: float, limit: float) -> None:
        while True:
            elapsed = clock(time.monotonic() - began)
            self._screen.wait(f"waiting until {name}: {elapsed} of {clock(limit)}")
            await asyncio.sleep(1)

    def _unmet(self, name: str, detail: str) -> NoReturn:
        self.note(name, detail, held=False)
        self._screen.check(name, detail, held=False)
        raise UnmetError(f"{name}: {detail}")
