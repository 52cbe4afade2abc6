"""`turnout gate evals`: result files of two versions, judged as a rollout's would be."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.text import Text

from turnout.api.rollout_status import Verdict
from turnout.cli.exits import Exit
from turnout.cli.options import Form, Terms
from turnout.cli.screen import Marks, marks_of, say, tell
from turnout.core.quoting import quoted
from turnout.core.sequential.bets import plain
from turnout.core.suites.counts import MOST_TRIALS, Rate, Trials
from turnout.core.suites.tally import Round
from turnout.core.suites.verdict import Judgement, Suite, replay
from turnout.errors import Invalid
from turnout.evals.results.formats import Format
from turnout.evals.results.reading import Reading, read

ENDS: Final[Mapping[Verdict, Exit]] = {
    Verdict.PASS: Exit.DONE,
    Verdict.FAIL: Exit.FOUND,
    Verdict.CONTINUE: Exit.HELD,
}

_SHARE: Final = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,2})?)%")
_THRESHOLD: Final = re.compile(r"(?P<metric>[^=]+)=(?P<score>-?[0-9]{1,9}(?:\.[0-9]{1,9})?)")


@dataclass(frozen=True)
class Asked:
    """How two files are compared.

    Attributes:
        format: What both are.
        terms: What a person said of the comparison.
    """

    format: Format
    terms: Terms

    @property
    def reading(self) -> Reading:
        """How the files are read.

        Raises:
            Invalid: A threshold is none.
        """
        found = [(one, _THRESHOLD.fullmatch(one)) for one in self.terms.threshold or ()]
        wrong = next((one for one, match in found if match is None), None)
        if wrong is not None:
            raise Invalid("Unreadable", f"--threshold {quoted(wrong)} is not METRIC=SCORE")
        return Reading(
            self.format, {match["metric"]: float(match["score"]) for _, match in found if match}
        )

    @property
    def drop(self) -> float | None:
        """The margin as a number.

        Raises:
            Invalid: It is no share above nothing.
        """
        margin = self.terms.max_regression
        if margin is None:
            return None
        share = _SHARE.fullmatch(margin)
        if share is None or float(share[1]) == 0.0:
            raise Invalid("Unreadable", f"--max-regression {quoted(margin)} is not as 10%")
        return float(share[1]) / 100.0


def evals(candidate: str, baseline: str, asked: Asked, form: Form) -> Exit:
    """Print the verdict on a result file beside another.

    Raises:
        Invalid: A file, an option or a task that must pass cannot be used.
    """
    own, other = _read(candidate, asked.reading), _read(baseline, asked.reading)
    names = [
        name for name in {**other, **own} if _of(own, name).attempted or _of(other, name).attempted
    ]
    skipped = len({**other, **own}) - len(names)
    if skipped:
        say(f"note: {skipped} tasks are left out: neither version tried them")
    judgement = _judged(own, other, names, asked)
    document = _document(judgement, own, other, names)
    tell(form, "Evals", document, _lines(judgement, document["tasks"], marks_of(sys.stdout)))
    return ENDS[judgement.ruling.verdict]


def _judged(
    own: Mapping[str, Trials], other: Mapping[str, Trials], names: Sequence[str], asked: Asked
) -> Judgement:
    required = frozenset(asked.terms.must_pass or ())
    unknown = next(iter(sorted(required.difference(names))), None)
    if unknown is not None:
        raise Invalid("Unreadable", f"--must-pass {quoted(unknown)} is no task of these files")
    suite = Suite(tuple(names), required, margin=asked.drop, most=MOST_TRIALS)
    if asked.terms.recorded:
        return replay(suite, [Round(own)], other)
    return replay(suite, [Round(own, other)])


def _read(path: str, how: Reading) -> dict[str, Trials]:
    try:
        return read(Path(path).read_bytes(), how)
    except OSError as error:
        raise Invalid("Unreadable", f"{path}: {error.strerror}") from None
    except Invalid as error:
        raise Invalid(error.reason, f"{path}: {error.message}") from None


def _document(
    found: Judgement, own: Mapping[str, Trials], other: Mapping[str, Trials], names: Sequence[str]
) -> dict[str, Any]:
    fates = {
        name: fate
        for fate in ("regressed", "improved", "tied")
        for name in getattr(found.groups, fate)
    }
    order = [name for name in fates if name in names]
    return {
        "verdict": found.ruling.verdict.value,
        "reason": found.ruling.reason.value,
        "blamed": list(found.ruling.blamed),
        "evidence": {"worse": plain(found.worse), "safe": plain(found.safe)},
        "passRate": {"candidate": _rate(found.candidate), "baseline": _rate(found.baseline)},
        "tasks": [
            {
                "id": name,
                "fate": fates[name],
                "candidate": _counts(_of(own, name)),
                "baseline": _counts(_of(other, name)),
            }
            for name in order
        ],
    }


def _lines(found: Judgement, tasks: Sequence[Mapping[str, Any]], marks: Marks) -> Iterator[Text]:
    signs = {Verdict.PASS: marks.done, Verdict.FAIL: marks.bad, Verdict.CONTINUE: marks.now}
    ruling = found.ruling
    blamed = f": {', '.join(ruling.blamed)}" if ruling.blamed else ""
    yield Text(f"{signs[ruling.verdict]} {ruling.verdict}  {ruling.reason}{blamed}")
    rates = f"candidate {_percent(found.candidate)}, baseline {_percent(found.baseline)}"
    yield Text(f"  pass rate: {rates}")
    evidence = f"worse {plain(found.worse):.3g}, safe {plain(found.safe):.3g}"
    yield Text(f"  evidence: {evidence} (20 is enough)")
    width = max([4, *(len(one["id"]) for one in tasks)])
    yield Text(f"  {'TASK':{width}}  CANDIDATE  BASELINE")
    signs_of = {"regressed": marks.bad, "improved": marks.done, "tied": " "}
    for one in tasks:
        own, other = _told(one["candidate"]), _told(one["baseline"])
        fate = "" if one["fate"] == "tied" else f"  {one['fate']}"
        yield Text(f"{signs_of[one['fate']]} {one['id']:{width}}  {own:9}  {other}{fate}".rstrip())


def _of(counts: Mapping[str, Trials], name: str) -> Trials:
    return counts.get(name, Trials())


def _counts(trials: Trials) -> dict[str, int]:
    return {"passed": trials.passed, "trials": trials.completed, "errors": trials.errors}


def _told(counts: Mapping[str, int]) -> str:
    errors = f" +{counts['errors']}!" if counts["errors"] else ""
    return f"{counts['passed']}/{counts['trials']}{errors}"


def _rate(rate: Rate | None) -> dict[str, float] | None:
    if rate is None:
        return None
    return {"value": rate.value, "low": rate.low, "high": rate.high}


def _percent(rate: Rate | None) -> str:
    if rate is None:
        return "unknown"
    return f"{rate.value:.1%} ({rate.low:.1%} to {rate.high:.1%})"
