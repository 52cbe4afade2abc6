"""How objects belong together: what was made for whom, and who names whom."""

from collections.abc import Iterator

from turnout.adapters.documents import (
    AGENT,
    AGENT_LABEL,
    AGENT_POLICY,
    AGENT_ROLLOUT,
    AGENT_VERSION,
    CONFIG_MAP,
    METRIC_TEMPLATE,
    PROMPT,
    ROLLOUT_STRATEGY,
    TOOL_REGISTRY,
    Document,
    Kind,
    Ref,
)

_FIELDS = (
    ("toolRegistryRef", TOOL_REGISTRY),
    ("policyRef", AGENT_POLICY),
    ("strategyRef", ROLLOUT_STRATEGY),
    ("configMapKeyRef", CONFIG_MAP),
)


def agent_of(ref: Ref, document: Document) -> Ref | None:
    """Return the Agent that an object was made for."""
    if ref.kind in (AGENT_VERSION, AGENT_ROLLOUT):
        name = document["spec"]["agent"]
    else:
        name = (document["metadata"].get("labels") or {}).get(AGENT_LABEL)
    return Ref(AGENT, ref.namespace, name) if name else None


def references_of(ref: Ref, document: Document) -> Iterator[Ref]:
    """Return what an object names that a person wrote: always in its own namespace."""
    if ref.kind not in (AGENT, ROLLOUT_STRATEGY, PROMPT):
        return
    spec = document["spec"]
    named: list[tuple[Kind, Document]] = [(PROMPT, one) for one in spec.get("promptRefs") or ()]
    named += [(kind, spec[field]) for field, kind in _FIELDS if spec.get(field)]
    metrics = (spec.get("gate") or {}).get("metrics") or ()
    named += [(METRIC_TEMPLATE, m["templateRef"]) for m in metrics if m.get("templateRef")]
    for kind, reference in named:
        yield Ref(kind, ref.namespace, reference["name"])
