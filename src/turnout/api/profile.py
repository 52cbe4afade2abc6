"""Series that others are known to export, and what of an agent they tell of."""

from enum import StrEnum


class Profile(StrEnum):
    """Series that others are known to export (docs/metrics.md). May grow."""

    OPEN_TELEMETRY_GEN_AI = "OpenTelemetryGenAI"
    AGENTGATEWAY = "Agentgateway"
    ENVOY = "Envoy"
    ISTIO = "Istio"
    LITE_LLM = "LiteLLM"


class About(StrEnum):
    """What of an agent's conduct a metric is about, where its profile knows that. May grow."""

    TOOL_CALLS = "ToolCalls"
    POLICY_HITS = "PolicyHits"
    LIMITS = "Limits"
    TIMEOUTS = "Timeouts"
    TOKENS = "Tokens"
    STEPS = "Steps"
    RETRIES = "Retries"
