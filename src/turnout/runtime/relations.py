"""How objects belong together: what was made for whom, and who names whom."""

from collections.abc import Iterator

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Document, Kind, Ref
from turnout.core.naming import AGENT_LABEL, RUN_LABEL

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
    run = (document["metadata"].get("labels") or {}).get(RUN_LABEL)
    if run and ref.kind in kinds.CHILD_KINDS:
        return Ref(kinds.EVAL_RUN, ref.namespace, run)
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
    match ref.kind:
        case kinds.EVAL_SUITE:
            named = _sources(document["spec"])
        case kinds.EVAL_RUN:
            named = _tried(document["spec"])
        case kinds.AGENT | kinds.ROLLOUT_STRATEGY | kinds.PROMPT:
            named = _contents(document["spec"])
        case _:
            named = []
    for kind, reference in named:
        yield Ref(kind, ref.namespace, reference["name"])


def _sources(spec: Document) -> list[tuple[Kind, Document]]:
    """Name the ConfigMaps that hold a suite's tasks."""
    return [(kinds.CONFIG_MAP, one["configMapKeyRef"]) for one in spec.get("tasksFrom") or ()]


def _tried(spec: Document) -> list[tuple[Kind, Document]]:
    """Name what an EvalRun tries, and with what."""
    return [(kinds.EVAL_SUITE, spec["suite"]), (kinds.AGENT_VERSION, spec["version"])]


def _contents(spec: Document) -> list[tuple[Kind, Document]]:
    """Name what an Agent, a RolloutStrategy or a Prompt refers to."""
    named: list[tuple[Kind, Document]] = [
        (kinds.PROMPT, one) for one in spec.get("promptRefs") or ()
    ]
    named += [(kind, spec[field]) for field, kind in _FIELDS if spec.get(field)]
    metrics = (spec.get("gate") or {}).get("metrics") or ()
    named += [(kinds.METRIC_TEMPLATE, m["templateRef"]) for m in metrics if m.get("templateRef")]
    objectives = spec.get("objectives") or ()
    named += [(kinds.METRIC_TEMPLATE, {"name": one["metric"]}) for one in objectives]
    return named
