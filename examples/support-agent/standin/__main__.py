"""`python -m standin`: serve the stand-in until told to stop."""

import argparse

from aiohttp import web

from .server import Latency, application


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="standin", description="A stand-in model and shop.")
    parser.add_argument("--host", default=None, help="default: every address")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument(
        "--latency", type=float, default=Latency.reply, help="mean seconds before a reply begins"
    )
    arguments = parser.parse_args()
    web.run_app(
        application(Latency(reply=arguments.latency)),
        host=arguments.host,
        port=arguments.port,
        access_log=None,
        print=None,
        shutdown_timeout=30,
    )


if __name__ == "__main__":
    main()
