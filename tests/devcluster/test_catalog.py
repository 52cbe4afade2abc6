import re

import pytest

from devcluster import golang
from devcluster.catalog import GROUPS, KUBERNETES, PROFILES, PROGRAMS, Group, Profile, group_of


@pytest.mark.parametrize("profile", PROFILES)
def test_every_program_of_a_profile_is_built_by_a_group(profile: Profile) -> None:
    assert [group_of(program).name for program in PROGRAMS[profile]]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_group_pins_what_it_builds_and_its_hashes(group: Group) -> None:
    required = re.findall(r"^(?:require )?\t?(\S+) (v\S+)", _go_mod(group.name), re.MULTILINE)
    hashes = (group.directory / "go.sum").read_text()
    # Replaced modules are those at v0.0.0: a test below looks at them.
    for module, version in required:
        assert version == "v0.0.0" or f"{module} {version}/go.mod h1:" in hashes


def test_kubernetes_tells_its_version_where_it_would_call_itself_a_development_build() -> None:
    assert re.search(r"component-base/version\.gitVersion=v1\.\d+\.\d+ ", KUBERNETES.ldflags)
    assert re.search(r"component-base/version\.gitMinor=\d+ ", KUBERNETES.ldflags)


def test_all_kubernetes_staging_modules_are_pinned_to_the_release() -> None:
    text = (KUBERNETES.directory / "go.mod").read_text()
    replaced = re.findall(r"^\tk8s\.io/\S+ => k8s\.io/\S+ (v\S+)$", text, re.MULTILINE)
    release = re.search(r"k8s\.io/kubernetes v1(\.\d+\.\d+)", text)
    assert release is not None
    assert set(replaced) == {f"v0{release[1]}"}
    assert len(replaced) >= 30


def test_the_gateway_api_kinds_are_those_that_envoy_gateway_is_built_with() -> None:
    pins = {
        name: re.search(r"sigs\.k8s\.io/gateway-api (v\S+)", _go_mod(name))
        for name in ("gateway-api", "envoy-gateway")
    }
    versions = {found[1] for found in pins.values() if found}
    assert len(versions) == 1


def test_one_name_for_a_build_changes_with_whatever_goes_into_it() -> None:
    plain = golang.digest(KUBERNETES)
    assert plain == golang.digest(KUBERNETES)
    unstamped = Group(KUBERNETES.name, KUBERNETES.packages)
    assert golang.digest(unstamped) != plain


def _go_mod(name: str) -> str:
    [group] = [group for group in GROUPS if group.name == name]
    return (group.directory / "go.mod").read_text()
