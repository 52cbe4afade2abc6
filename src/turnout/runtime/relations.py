"""How objects belong together: what was made for whom, and who names whom."""

from collections.abc import Iterator

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Document, Kind, Ref
from turnout.core.naming import AGENT_LABEL

_FIELDS = (
    ("toolRegistryRef", kinds.TOOL_REGISTRY),
    ("policyRef", kinds.AGENT_POLICY),
    ("strategyRef", kinds.ROLLOUT_STRATEGY),
    ("configMapKeyRef", kinds.CONFIG_MAP),
)


def made_for(ref: Ref, document: Document) -> Ref | None:
    """Return the object of ours that something was made for: mostly an Agent, by its label."""
    if ref.kind == kinds.JOB:
        return owner_of(ref, document)
    if ref.kind in (kinds.AGENT_VERSION, kinds.AGENT_ROLLOUT):
        name = document["spec"]["agent"]
    else:
        name = (document["metadata"].get("labels") or {}).get(AGENT_LABEL)
    return Ref(kinds.AGENT, ref.namespace, name) if name else None


def owner_of(ref: Ref, document: Document) -> Ref | None:
    """Return the object that controls another; None where none of a known kind does."""
    for owner in document["metadata"].get("ownerReferences") or ():
        kind = kinds.BY_TYPE.get((owner["apiVersion"], owner["kind"]))
        if owner.get("controller") and kind is not None:
            return Ref(kind, ref.namespace, owner["name"])
    return None


def references_of(ref: Ref, document: Document) -> Iterator[Ref]:
    """Return what an object names that a person wrote: always in its own namespace."""
    if ref.kind not in (kinds.AGENT, kinds.ROLLOUT_STRATEGY, kinds.PROMPT):
        return
    spec = document["spec"]
    named: list[tuple[Kind, Document]] = [
        (kinds.PROMPT, one) for one in spec.get("promptRefs") or ()
    ]
    named += [(kind, spec[field]) for field, kind in _FIELDS if spec.get(field)]
    metrics = (spec.get("gate") or {}).get("metrics") or ()
    named += [(kinds.METRIC_TEMPLATE, m["templateRef"]) for m in metrics if m.get("templateRef")]
    objectives = spec.get("objectives") or ()
    named += [(kinds.METRIC_TEMPLATE, {"name": one["metric"]}) for one in objectives]
    for kind, reference in named:
        yield Ref(kind, ref.namespace, reference["name"])
