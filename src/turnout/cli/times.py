"""Time as people read it: how long ago, and when by their own clock."""

from datetime import datetime, timedelta
from typing import Final

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_DAY: Final = timedelta(days=1)


def span(length: timedelta) -> str:
    """Write a length of time in its two largest units, as kubectl does: 41d, 2h5m, 12s."""
    left = max(0, int(length.total_seconds()))
    parts: list[tuple[int, str]] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, unit))
    short = parts[:1] if parts and parts[0][1] == "d" and parts[0][0] > 1 else parts[:2]
    return "".join(f"{count}{unit}" for count, unit in short if count) or "0s"


def since(moment: datetime | None, now: datetime) -> str:
    """Write how long ago a moment was; nothing for one that is not known."""
    return span(now - moment) if moment is not None else ""


def clock(moment: datetime, now: datetime) -> str:
    """Write a moment by the reader's own clock, with its day where that is another."""
    local = moment.astimezone()
    if now - moment < _DAY and local.date() == now.astimezone().date():
        return f"{local:%H:%M:%S}"
    return f"{local:%Y-%m-%d %H:%M}"
