"""Text that others wrote, made safe to show: see `turnout.core.quoting`."""

from turnout.core.quoting import FOREIGN_LIMIT, quoted

__all__ = ["FOREIGN_LIMIT", "quoted"]
