"""Every reason word of conditions, Events and records, each with what it tells a person."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """CamelCase reasons; a value is never renamed once released."""

    # what the Agent asks for
    VALID = "Valid"
    INVALID_SPEC = "InvalidSpec"
    NAME_CONFLICT = "NameConflict"
    CONTENT_TOO_LARGE = "ContentTooLarge"
    UNSUPPORTED_WEIGHT = "UnsupportedWeight"
    RESOLVED = "Resolved"
    CROSS_CHECK_FAILED = "CrossCheckFailed"
    REFERENCE_NOT_FOUND = "ReferenceNotFound"
    AWAITING_CONTENT = "AwaitingContent"
    INVALID_TEMPLATE = "InvalidTemplate"
    INVALID_TEXT = "InvalidText"
    TOO_LARGE = "TooLarge"
    RESOLVE_ERROR = "ResolveError"
    STORED = "Stored"
    PINNED = "Pinned"
    MUTABLE_IMAGE = "MutableImage"
    LIVE_CONFIG_MAP = "LiveConfigMap"
    PENDING = "Pending"

    # what servers outside offer
    DISCOVERED = "Discovered"
    SOURCE_UNAVAILABLE = "SourceUnavailable"
    LABEL_MOVED = "LabelMoved"
    SERVER_UNREACHABLE = "ServerUnreachable"
    DISCOVERY_FAILED = "DiscoveryFailed"
    IN_SYNC = "InSync"
    DRIFTED = "Drifted"
    TOOLS_DRIFTED = "ToolsDrifted"
    NOT_WATCHED = "NotWatched"
    AGREED = "Agreed"
    CONTRADICTED = "Contradicted"

    # what became of an edit of a shared object
    ALL_PROMOTED = "AllPromoted"
    NOT_USED = "NotUsed"
    IN_PROGRESS = "InProgress"

    # where a rollout stands
    AT_REST = "AtRest"
    NEW_VERSION = "NewVersion"
    STEP_RUNNING = "StepRunning"
    STEP_COMPLETED = "StepCompleted"
    EVALUATING = "Evaluating"
    WAITING = "Waiting"
    BAKING = "Baking"
    QUEUED = "Queued"
    PAUSED = "Paused"
    AWAITING_APPROVAL = "AwaitingApproval"
    APPROVED = "Approved"
    NOT_REQUIRED = "NotRequired"
    PROMOTED = "Promoted"
    ROLLED_BACK = "RolledBack"
    ABORTED = "Aborted"
    SUPERSEDED = "Superseded"
    RETURNED_TO_STABLE = "ReturnedToStable"
    RETRIED = "Retried"
    FLAPPING = "Flapping"
    EXPIRED = "Expired"
    TIMED_OUT = "TimedOut"
    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"

    # what the gate says
    SAFE = "Safe"
    REGRESSED = "Regressed"
    TOO_FEW_REQUESTS = "TooFewRequests"
    SUSPICIOUS = "Suspicious"
    NO_TRAFFIC = "NoTraffic"
    TRAFFIC_SPLIT_OFF = "TrafficSplitOff"
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    METRIC_NOT_FOUND = "MetricNotFound"
    MATCHED = "Matched"
    NO_SERIES = "NoSeries"
    VERSION_LABEL_MISSING = "VersionLabelMissing"
    BOTH_ARMS_DEGRADED = "BothArmsDegraded"
    INCONCLUSIVE = "Inconclusive"
    NOT_RUNNING = "NotRunning"
    APPROVAL_UNPROTECTED = "ApprovalUnprotected"

    # how an EvalRun goes and ends
    STARTED = "Started"
    EVAL_PASSED = "EvalPassed"
    EVAL_FAILED = "EvalFailed"
    EVAL_INCONCLUSIVE = "EvalInconclusive"
    EVAL_ERROR = "EvalError"

    # how objectives are kept
    WITHIN_ERROR_BUDGET = "WithinErrorBudget"
    ERROR_BUDGET_BURNING = "ErrorBudgetBurning"
    ERROR_BUDGET_SPENT = "ErrorBudgetSpent"
    ERROR_BUDGET_EXHAUSTED = "ErrorBudgetExhausted"

    # how stable does after its promotion
    AS_RECORDED = "AsRecorded"
    DEGRADED = "Degraded"
    LEARNING = "Learning"
    RECOVERED = "Recovered"
    STANDS_BY = "StandsBy"
    SAME_CAUSE = "SameCause"

    # pods and traffic
    MINIMUM_REPLICAS_AVAILABLE = "MinimumReplicasAvailable"
    MINIMUM_REPLICAS_UNAVAILABLE = "MinimumReplicasUnavailable"
    SCALED_TO_ZERO = "ScaledToZero"
    STABLE_UNAVAILABLE = "StableUnavailable"
    RECOVER = "Recover"
    SUSPENDED = "Suspended"
    ROUTE_PROGRAMMED = "RouteProgrammed"
    ROUTE_NOT_ACCEPTED = "RouteNotAccepted"
    REFS_NOT_RESOLVED = "RefsNotResolved"
    FORBIDDEN = "Forbidden"

    # what a kill switch does
    THROWN = "Thrown"
    CLEAR = "Clear"
