"""The machine's clock."""

from datetime import UTC, datetime


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Tell the time."""
        return datetime.now(UTC)
