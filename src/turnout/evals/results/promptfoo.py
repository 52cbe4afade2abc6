"""promptfoo's JSON, as `promptfoo eval --no-cache -o results.json` writes it.

A task is a test by its description, without one by a digest of its variables. `--repeat` gives
every repeat an index of its own, so the index names no task. Answers out of promptfoo's cache are
one trial shown several times, and refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import rfc8785
from pydantic import Field

from turnout.core.quoting import quoted
from turnout.core.suites.counts import Trials
from turnout.evals.results.bounds import Row, Trial, document, refused, shaped, tallied

_VERSION: Final = 3
_ERROR: Final = 2
"""`failureReason` of a test that met an error; 0 is none, 1 an assertion that did not hold."""


class _Test(Row):
    description: str = ""
    vars: dict[str, Any] = Field(default_factory=dict)


class _Provider(Row):
    id: str
    label: str = ""


class _Response(Row):
    cached: bool = False


class _Result(Row):
    test_case: _Test
    prompt_idx: int = 0
    provider: _Provider
    success: bool
    failure_reason: int = Field(ge=0, le=_ERROR)
    response: _Response | None = None

    @property
    def passed(self) -> bool | None:
        """What became of it; an error leaves that open."""
        return None if self.failure_reason == _ERROR else self.success


class _Results(Row):
    version: int
    results: tuple[_Result, ...] = Field(strict=False)


class _File(Row):
    results: _Results


def read(text: str) -> dict[str, Trials]:
    """Count the trials of each task.

    Raises:
        Invalid: It is no such file, several prompts or providers were tried, answers came out of a
            cache, or two tests have the same description.
    """
    found = shaped(_File, document(text)).results
    if found.version != _VERSION:
        raise refused(f"results.version is {found.version}, {_VERSION} is read")
    _hold_to_one_version(found.results)
    return tallied([Trial(name, one.passed) for name, one in _named(found.results)])


def _hold_to_one_version(results: Iterable[_Result]) -> None:
    tried = {(one.provider.id, one.provider.label, one.prompt_idx) for one in results}
    if len(tried) > 1:
        raise refused(
            f"the file compares {len(tried)} prompts or providers; a run is of one version"
        )


def _named(results: Iterable[_Result]) -> Iterable[tuple[str, _Result]]:
    digests: dict[str, str] = {}
    for place, one in enumerate(results):
        digest = _digest(one.test_case.vars, place)
        name = one.test_case.description or f"vars-{digest[:12]}"
        if digests.setdefault(name, digest) != digest:
            raise refused(f"two tests with different vars are called {quoted(name, 80)}")
        if one.response and one.response.cached:
            raise refused(
                f"results.{place} was answered out of a cache, which is no trial: use --no-cache"
            )
        yield name, one


def _digest(variables: dict[str, Any], place: int) -> str:
    try:
        return hashlib.sha256(rfc8785.dumps(variables)).hexdigest()
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        raise refused(f"results.{place}: vars hold a number or text that JSON cannot") from None
