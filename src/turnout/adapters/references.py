"""What an Agent refers to."""

from collections.abc import Iterator

from turnout.adapters.documents import AGENT_POLICY, PROMPT, TOOL_REGISTRY, Ref
from turnout.api.agent import Agent


def content_refs(agent: Agent) -> Iterator[Ref]:
    """Name the objects whose content an Agent's version is made of: their statuses tell of it."""
    namespace, spec = agent.metadata.namespace, agent.spec
    for prompt in spec.prompt_refs:
        yield Ref(PROMPT, namespace, prompt.name)
    for kind, ref in ((TOOL_REGISTRY, spec.tool_registry_ref), (AGENT_POLICY, spec.policy_ref)):
        if ref is not None:
            yield Ref(kind, namespace, ref.name)
