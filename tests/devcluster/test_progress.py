import io
import re

import pytest

from devcluster.progress import Progress, silence


def test_a_log_gets_plain_lines_with_the_count_and_the_time() -> None:
    stream = io.StringIO()
    progress = Progress(2, stream)
    for title in ("one", "two"):
        with progress.step(title):
            pass
    lines = stream.getvalue().splitlines()
    assert lines[0] == "[1/2] one ..."
    assert re.fullmatch(r"\[1/2\] one: \d+\.\ds \(in all \d+\.\ds\)", lines[1])
    assert lines[2] == "[2/2] two ..."
    assert "\x1b" not in stream.getvalue()


def test_a_terminal_gets_one_line_redrawn_with_the_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    progress = Progress(1, stream)
    with progress.step("build"):
        progress.detail("k8s.io/api")
        progress._paint(65.0)
    assert "\r\x1b[K[1/1] build  1m05s  k8s.io/api" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_a_step_that_fails_is_not_counted() -> None:
    stream = io.StringIO()
    progress = Progress(1, stream)
    with pytest.raises(ZeroDivisionError), progress.step("build"):
        _ = 1 / 0
    assert stream.getvalue() == "[1/1] build ...\n"


def test_silence_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with silence().step("build"):
        pass
    assert capsys.readouterr() == ("", "")
