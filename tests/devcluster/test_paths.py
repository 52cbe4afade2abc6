from pathlib import Path

import pytest

from devcluster import paths


def test_two_checkouts_get_clusters_of_different_names() -> None:
    one = paths.default_name("node", Path("/home/ada/turnout"))
    other = paths.default_name("node", Path("/home/bob/turnout"))
    assert one != other
    assert one.startswith("turnout-")


def test_the_profiles_of_one_checkout_are_different_clusters() -> None:
    assert paths.default_name("light") != paths.default_name("node")


def test_a_checkout_of_any_name_gives_a_name_that_the_kernel_and_kind_take() -> None:
    name = paths.default_name("node", Path("/x/My  Checkout (copy) \N{SNOWMAN} of a long name"))
    assert name.isascii()
    assert name == name.lower()
    assert " " not in name
    assert len(name) <= 40


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNOUT_CACHE", "/elsewhere")
    assert paths.state_dir("a") == Path("/elsewhere/clusters/a")


def test_the_cache_is_in_the_home_where_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TURNOUT_CACHE", raising=False)
    monkeypatch.setenv("HOME", "/home/ada")
    assert paths.cache() == Path("/home/ada/.cache/turnout")
