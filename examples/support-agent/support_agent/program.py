"""Puts settings, content and server together."""

import asyncio
import os
import sys

from .content import ContentError, load
from .server import log, serve
from .settings import SettingError, Settings

_MISUSED = 2


def main() -> None:
    """Load the content and serve it; exit with 2 and one sentence where that is impossible."""
    try:
        settings = Settings.of(os.environ)
        content = load(settings.content_dir)
    except (SettingError, ContentError) as error:
        print(f"support-agent: {error}", file=sys.stderr)
        sys.exit(_MISUSED)
    log("starting", agent=content.agent, version=settings.version, model=content.model.name)
    asyncio.run(serve(settings, content, lambda port: log("listening", port=port)))
