import pytest

from devcluster import debian
from devcluster.errors import ClusterError


def test_what_the_machine_has_is_not_absent() -> None:
    assert debian.absent({"coreutils": "ls", "base-files": "/etc/os-release"}) == []


def test_a_user_who_is_not_root_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ClusterError, match=r"as root: apt-get install .* unheard-of"):
        debian.install({"unheard-of": "no-such-program", "coreutils": "ls"})


def test_nothing_is_installed_where_nothing_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    debian.install({"coreutils": "ls"})
    assert debian.absent({"coreutils": "ls"}) == []


def test_an_index_that_is_out_of_date_is_renewed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []

    def apt(*command: str) -> bool:
        called.append(command[1])
        return "update" in called

    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(debian, "_apt", apt)
    debian.install({"unheard-of": "no-such-program"})
    assert called == ["install", "update", "install"]
