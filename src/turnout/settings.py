"""What an administrator decides about one operator process.

Every setting can stand in a YAML file (`--config`, the chart's ConfigMap), in the environment
(`TURNOUT_LOG_LEVEL`) and on the command line (`--log-level`); the later of these wins. A setting
that cannot be read ends the process with one sentence naming it.
"""

import argparse
import re
import socket
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from turnout.errors import Invalid

_GO_DURATION = re.compile(
    r"(?=\d)(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+(?:\.\d+)?)s)?"
)


def _duration(value: object) -> object:
    """Read Go's notation ("1m30s"), which Kubernetes users write; leave the rest to pydantic."""
    if not isinstance(value, str) or not (match := _GO_DURATION.fullmatch(value)):
        return value
    return timedelta(**{unit: float(count) for unit, count in match.groupdict("0").items()})


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0))]


class _Frozen(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class MetricsProvider(_Frozen):
    """One Prometheus that gates may ask; rollouts name it, only an administrator defines it."""

    url: Annotated[str, Field(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$", max_length=2048)]
    """Base address, http or https, without user, query or fragment."""

    namespace_label: Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")] = "namespace"
    """Label that carries a series' namespace."""

    pod_label: Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")] = "pod"
    """Label that carries the pod's name."""

    scrape_interval: Duration = timedelta(seconds=15)
    """How often it scrapes the agents' pods; a sample older than two of these is stale."""

    timeout: Duration = timedelta(seconds=10)
    """Longest wait for one answer."""

    ca_file: Path | None = None
    """Certificates that its own is checked against; without it the well-known authorities."""

    headers_file: Path | None = None
    """YAML mapping of request headers (a mounted Secret), read again for every question."""


class LeaseTimes(_Frozen):
    """How leadership is kept and lost."""

    duration: Duration = timedelta(seconds=15)
    """A lease that nobody renewed for so long may be taken."""

    renew_deadline: Duration = timedelta(seconds=10)
    """A leader that could not renew for so long stops acting and exits."""

    retry_period: Duration = timedelta(seconds=2)
    """Pause between two renewals."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.retry_period < self.renew_deadline < self.duration:
            raise ValueError("retryPeriod < renewDeadline < duration must hold")
        return self


class Jobs(_Frozen):
    """How Jobs ask what lies outside the cluster, and where they report."""

    image: Annotated[str, Field(min_length=1, max_length=512)]
    """Image of the operator itself: the Jobs' program is in it."""

    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When a kubelet fetches it."""

    reports_url: Annotated[str, Field(pattern=r"^https?://[^/?#@\s]+$", max_length=2048)]
    """Where Jobs reach the port below: scheme, host and port."""

    port: Annotated[int, Field(ge=1, le=65535)] = 8082
    """Port that takes their reports."""


class Settings(_Frozen):
    """All settings of one process."""

    namespaces: tuple[str, ...] = ()
    """Namespaces to serve; empty serves the whole cluster."""

    pod_namespace: str = "turnout-system"
    """Namespace of the operator itself: its Lease lives there."""

    pod_name: str = Field(default_factory=socket.gethostname)
    """This replica's name; the lease's holder."""

    kubeconfig: Path | None = None
    """Kubeconfig to use; without it the pod's own service account. Never looked for elsewhere."""

    context: str | None = None
    """Context of the kubeconfig, its current one when unset."""

    lease: LeaseTimes = LeaseTimes()
    """Leadership."""

    metrics: Mapping[str, MetricsProvider] = {}
    """Metrics providers by the name that a gate gives."""

    metrics_queries_per_namespace: Annotated[int, Field(ge=0)] = 0
    """Questions a minute that the gates of one namespace may ask metrics providers, 0 for any
    number; more are MetricsUnavailable. What many of them ask at once counts once."""

    jobs: Jobs | None = None
    """How Jobs are run; without it none is, and tools cannot be discovered."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port of /healthz, /readyz and /metrics; 0 takes a free one."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is written."""

    log_format: Literal["json", "text"] = "json"
    """json for machines, text for a terminal."""

    workers: Annotated[int, Field(ge=1, le=64)] = 8
    """Objects reconciled at the same time."""

    resync: Duration = timedelta(minutes=10)
    """Pause between two full lists of every kind, which mend lost events."""

    max_concurrent_rollouts: Annotated[int, Field(ge=0)] = 0
    """Rollouts that may run at once, 0 for any number; the rest queue. First versions and ways back
    neither wait nor count."""

    max_concurrent_rollouts_per_namespace: Annotated[int, Field(ge=0)] = 0
    """The same for each namespace."""

    unprotected_approvals: Literal["Hold", "Accept"] = "Hold"
    """What an approve step does where no admission policy guards approvals."""

    @classmethod
    def load(cls, arguments: Sequence[str], environment: Mapping[str, str]) -> Self:
        """Read the settings from file, environment and command line.

        Raises:
            Invalid: A setting is unknown or has no usable value.
        """
        flags = {k: v for k, v in vars(_parser(cls).parse_args(arguments)).items() if v is not None}
        found = {
            name: environment[variable]
            for name in ("config", *cls.model_fields)
            if (variable := f"TURNOUT_{name.upper()}") in environment
        } | flags
        path = found.pop("config", None)
        try:
            return cls.model_validate(_file(path) | {k: _value(k, v) for k, v in found.items()})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            setting, *inside = (str(part) for part in first["loc"])
            field = ".".join((to_camel(setting), *inside))
            raise Invalid("InvalidSettings", f"{field}: {first['msg']}") from error


def _parser(model: type[BaseModel]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="turnout-operator", allow_abbrev=False)
    parser.add_argument("--config", metavar="FILE", help="YAML file with any of these settings")
    for name, field in model.model_fields.items():
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, dest=name, metavar="VALUE", help=field.description)
    return parser


def _file(path: str | None) -> dict[str, Any]:
    """Read the settings file, by field name whatever notation it uses."""
    if path is None:
        return {}
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Invalid("InvalidSettings", f"{path} cannot be read as YAML") from error
    if not isinstance(content, dict):
        raise Invalid("InvalidSettings", f"{path} must hold a mapping of settings")
    names: dict[str, str] = {to_camel(name): name for name in Settings.model_fields}
    return {names.get(str(key), str(key)): value for key, value in content.items()}


def _value(name: str, text: str) -> object:
    """Turn one word of the environment or command line into what the field takes."""
    match name:
        case "namespaces":
            return [part.strip() for part in text.split(",") if part.strip()]
        case "lease" | "metrics" | "jobs":
            try:
                return yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise Invalid("InvalidSettings", f"{name}: not a YAML or JSON mapping") from error
        case _:
            return text
