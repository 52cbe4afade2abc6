"""Languages inside strings, compiled to find mistakes and never run: JSON Schema and CEL.

Both are checked by compiled libraries that bound their own recursion, because a person's text must
not take the operator's stack, nor seconds of its time. Nothing that a text refers to is fetched.

The compilers are loaded with the first text that they are to check: they take 8 MiB, and where
nobody writes rules or schemas nobody needs them.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any, Final

from turnout.core.jsontext import parse
from turnout.core.quoting import quoted

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
LONGEST: Final = 240
"""Characters that are shown of what a compiler says."""
TOO_DEEP: Final = "it nests too deep for the CEL compiler: at most 32 levels are read"

_CEL_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
_NOWHERE = 2**32 - 1
"""Line that the CEL compiler names where an error has no place."""


@lru_cache(maxsize=512)
def schema_problem(text: str) -> str | None:
    """Say why a text is no JSON Schema 2020-12, and where; None where it is one.

    Every schema is held to 2020-12, whatever its own ``$schema`` says, and a ``$ref`` is not
    followed: what stands elsewhere is no part of a version.
    """
    import jsonschema_rs

    try:
        document = parse("inputSchema", text)
    except ValueError as error:
        return str(error)
    try:
        jsonschema_rs.meta.validate(document | {"$schema": DIALECT})
    except jsonschema_rs.ValidationError as error:
        place = "".join(f"/{quoted(str(part))}" for part in error.instance_path)
        said = quoted(error.message)
        return f"inputSchema is not JSON Schema 2020-12 at {place or 'its root'}: {said}"
    except ValueError:
        return "inputSchema holds text that is not Unicode"
    return None


@lru_cache(maxsize=512)
def rule_problem(expression: str) -> str | None:
    """Say why a text is no CEL expression, in the compiler's words, and where; None if it is one.

    Names are not resolved: which variables there are is known to the agent or gateway that
    evaluates the rule.
    """
    try:
        _cel().compile(expression, disable_check=True)
    except (RuntimeError, TypeError) as error:
        return _said(str(error))
    return None


@cache
def _cel() -> Any:
    from cel_expr_python import cel

    return cel.NewEnv()


def _said(message: str) -> str:
    found = _CEL_ERROR.search(message)
    if found is None:
        deep = message.startswith("CANCELLED: Expression recursion limit")
        return TOO_DEEP if deep else "it is not text that the CEL compiler takes"
    line, column, what = found.groups()
    if int(line) == _NOWHERE:
        return TOO_DEEP if what.startswith("Exceeded max recursion") else quoted(what)
    return f"line {line}, column {column}: {quoted(what)}"
