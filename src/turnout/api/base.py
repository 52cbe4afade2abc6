"""The ground that every kind stands on: the base model, scalars, references, conditions."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema
from typing_extensions import override

from turnout.api.schema import NO_DEFAULTS, RULES, Cel, JsonSchema, keyed_by

GROUP: Final = "turnout.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = "turnout.dev/v1alpha1"


class Wire(BaseModel):
    """A type as it travels: camelCase outside, frozen inside, unknown fields ignored.

    Unknown fields are what a newer schema added; the API server refuses or prunes mistyped ones.

    Attributes:
        cel: Rules about the whole value, for the API server.
        schema_defaults: Whether the API server writes our defaults into stored objects.
    """

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )
    cel: ClassVar[tuple[Cel, ...]] = ()
    schema_defaults: ClassVar[bool] = True

    def to_wire(self) -> dict[str, Any]:
        """The value as a Kubernetes document: camelCase, JSON types, no nulls."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @classmethod
    @override
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchema:
        schema = handler.resolve_ref_schema(handler(core))
        if cls.cel:
            schema[RULES] = [rule.wire() for rule in cls.cel]
        if not cls.schema_defaults:
            schema[NO_DEFAULTS] = True
        return schema


class Content(Wire):
    """A type that the digest of a version covers.

    Its fields get no defaults in the schema: the API server would write them into stored objects,
    and an upgrade of the CRDs would then be a change of content for every agent.
    """

    schema_defaults: ClassVar[bool] = False

    def content(self) -> dict[str, Any]:
        """The value as it is hashed: nulls and our own defaults left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


def _clip(limit: int) -> BeforeValidator:
    def clip(text: object) -> object:
        if isinstance(text, str) and len(text) > limit:
            return text[: limit - 1] + "…"
        return text

    return BeforeValidator(clip)


LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DURATION = r"^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$"
_FINE_DURATION = r"^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?([0-9]{1,5}ms)?$"
_PARTS = re.compile(r"([0-9]+)(ms|d|h|m|s)")
_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}

Int32 = Annotated[int, Field(ge=0, le=2**31 - 1)]
Int64 = Annotated[int, Field(ge=0, le=2**53 - 1)]
Name = Annotated[str, Field(min_length=1, max_length=63, pattern=rf"^{LABEL}$")]
Digest = Annotated[str, Field(max_length=71, pattern=r"^sha256:[0-9a-f]{64}$")]
Duration = Annotated[str, Field(min_length=1, max_length=18, pattern=_DURATION)]
FineDuration = Annotated[str, Field(min_length=1, max_length=25, pattern=_FINE_DURATION)]
Share = Annotated[
    str, Field(max_length=7, pattern=r"^(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?)%$")
]
Margin = Annotated[
    str,
    Field(max_length=6, pattern=r"^([1-9][0-9]?(\.[0-9]{1,2})?|0\.(0[1-9]|[1-9][0-9]?))%$"),
]
"""A `Share` that is neither nothing nor everything."""

Decimals = Annotated[str, Field(max_length=16, pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
Count = Annotated[str, Field(max_length=26, pattern=r"^[0-9]{1,15}(\.[0-9]{1,9})?$")]
Difference = Annotated[str, Field(max_length=27, pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$")]
Word = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z]([A-Za-z0-9_-]*)$")]
Text = Annotated[str, Field(max_length=256), _clip(256)]
Message = Annotated[str, Field(max_length=1024), _clip(1024)]
Uid = Annotated[str, Field(max_length=64)]
Printable = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[ -;=?-~]+$")]
"""Text of one line without angle brackets."""

Weight = Annotated[int, Field(ge=0, le=100)]
IntOrShare = Annotated[
    int | str,
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "pattern": r"^(100|[0-9]{1,2})%$",
            "maxLength": 4,
            "minimum": 0,
            "maximum": 10000,
        }
    ),
]


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Timestamp = Annotated[
    AwareDatetime,
    AfterValidator(lambda moment: moment.astimezone(UTC)),
    PlainSerializer(_zulu, return_type=str, when_used="json"),
]
"""An instant in UTC, written as Kubernetes' MicroTime: `2026-01-02T03:04:05.123456Z`."""


@lru_cache(maxsize=1024)
def as_timedelta(duration: str) -> timedelta:
    """A `Duration` or `FineDuration` as a length of time."""
    parts = _PARTS.findall(duration)
    return timedelta(milliseconds=sum(int(number) * _UNITS[unit] for number, unit in parts))


def seconds(duration: str) -> float:
    """A `Duration` or `FineDuration` in seconds."""
    return as_timedelta(duration).total_seconds()


@lru_cache(maxsize=1024)
def fraction(share: str) -> float:
    """A `Share` as a number from 0 to 1: the double nearest to it, as division gives."""
    return float(Decimal(share.removesuffix("%")) / 100)


def count(number: float) -> str:
    """A number of requests as a `Count`, to nine decimals."""
    return f"{number:.9f}".rstrip("0").rstrip(".")


def difference(number: float) -> str:
    """A difference of numbers of requests as a `Difference`, to nine decimals."""
    return count(round(number, 9) or 0.0)


class FieldManager(Wire):
    """A program that wrote fields of an object, as the API server keeps book of it."""

    manager: str = ""
    """Its name: kubectl-client-side-apply."""
    subresource: str = ""
    """What it wrote through; empty for the object itself."""
    time: Timestamp | None = None
    """When it wrote last, to a second."""


class ObjectMeta(Wire):
    """What the operator reads of an object's metadata."""

    name: str
    """Name of the object."""
    namespace: str = "default"
    """Namespace of the object."""
    uid: str = ""
    """Identity of this object among all that ever had its name."""
    generation: int = 0
    """Counts the changes of the spec."""
    resource_version: str = ""
    """Names this state of the object; a write that carries it is refused when it has passed."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of the object."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Annotations of the object."""
    managed_fields: tuple[FieldManager, ...] = ()
    """Who wrote it."""
    creation_timestamp: Timestamp | None = None
    """When the API server stored the object first."""
    deletion_timestamp: Timestamp | None = None
    """Set while the object is being deleted."""


class Resource(Wire):
    """An object of our group: what all kinds have in common."""

    api_version: Literal["turnout.dev/v1alpha1"] = API_VERSION
    """Group and version of the kind."""
    metadata: ObjectMeta
    """Standard object's metadata."""


SHORT_NAME = Cel(
    "size(self.metadata.name) <= 52 && "
    "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    "metadata.name is a DNS label of at most 52 characters: a-z, 0-9 and - inside, no dots",
)
"""For kinds that people write: names that other names can be made of."""


class ConditionStatus(StrEnum):
    """Whether a condition holds; Unknown is neither."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Wire):
    """One aspect of an object's state, as metav1.Condition."""

    type: Word
    """Name of the aspect, CamelCase."""
    status: ConditionStatus
    """True, False or Unknown."""
    observed_generation: Int64 = 0
    """Generation of the spec that this was concluded from."""
    last_transition_time: Timestamp
    """When the status changed last."""
    reason: Word
    """One CamelCase word for why; scripts may match on it."""
    message: Message = ""
    """What a person should know, in a sentence."""


Conditions = Annotated[tuple[Condition, ...], Field(max_length=16), keyed_by("type")]


class LocalRef(Wire):
    """Names an object in the same namespace."""

    name: Name
    """Name of the object, in this namespace. Example: support-system."""


class PinnedRef(Wire):
    """Names an object in the same namespace, and the content that is expected in it."""

    name: Name
    """Name of the object, in this namespace. Example: support-system."""
    digest: Digest | None = None
    """Pin: no version is formed until the object's content has this digest (its
    status.digest), so that one sync of several files is one change.
    Leave it out to take the content as it is."""


class VersionRef(Wire):
    """Names a version and its content."""

    version: Name
    """Name of the AgentVersion. Example: support-9c41e07b2d."""
    digest: Digest
    """Full digest of its content."""


class Status(Wire):
    """What the operator says about an object: absent is Unknown, so nothing is filled in."""

    schema_defaults: ClassVar[bool] = False

    observed_generation: Int64 = 0
    """Generation of the spec that this status speaks of."""
    conditions: Conditions = ()
    """Aspects of the object's state, each True, False or Unknown with a reason."""
