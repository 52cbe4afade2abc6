"""The program `turnout`: runs a command, and ends with a sentence where it cannot."""

import sys
from pathlib import Path

from turnout.cli.exits import Exit
from turnout.errors import Forbidden, TurnoutError

COMPLETE = "_TURNOUT_COMPLETE"
"""Variable by which a shell asks for completion."""


def name_of(program: str) -> str:
    """Name the program as it was called: kubectl calls its plugin by another name."""
    return "kubectl turnout" if Path(program).name.startswith("kubectl-") else "turnout"


def main() -> None:
    """Run the command of this process."""
    try:
        from turnout.cli.app import app
    except ModuleNotFoundError as error:
        sys.stderr.write(f"turnout: {error.name} is missing; pip install 'turnout[cli]'\n")
        sys.exit(Exit.FAILED)
    try:
        app(prog_name=name_of(sys.argv[0]), complete_var=COMPLETE)
    except TurnoutError as error:
        sys.stderr.write(f"error: {told(error)}\n")
        sys.exit(Exit.FAILED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(Exit.FAILED)


def told(error: TurnoutError) -> str:
    """Say what went wrong, and what helps."""
    text = str(error)
    if text.endswith("HTTP 401"):
        return f"{text}: the cluster does not accept who you are; look at the kubeconfig's user"
    if isinstance(error, Forbidden):
        return f"you are {text}; ask an administrator of the cluster for it"
    return text


if __name__ == "__main__":
    main()
