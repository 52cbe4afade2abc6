"""What the admission policies refuse, and what they let pass, on a real API server."""

import json
from collections.abc import Callable

import pytest

from tests.chart.helm import NAMESPACE
from tests.chart.objects import (
    POLICIES,
    Json,
    Rollout,
    agent,
    eval_run,
    prompt,
    registry,
    user_objects,
    version,
)
from tests.chart.people import Person, eventually

pytestmark = pytest.mark.light

Lookup = Callable[[str], Person]

ONLY_OPERATOR_CREATES = "only the operator creates AgentVersions and AgentRollouts"
ONLY_OPERATOR_STATUS = "only the operator writes a status"
OWN_NAME = "`by` must be your own name"
NEEDS_RIGHT = "need the right to update agentrollouts/approval"

DECISIVE = {
    "promote": {"mode": "Full"},
    "retry": {},
    "acknowledge": {},
}


def _retouch(*where: str) -> tuple[str, ...]:
    return ("patch", *where, "--type=merge", '--patch={"metadata":{"labels":{"seen":"yes"}}}')


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_compiles_without_a_warning(installed: None, admin: Person, name: str) -> None:
    policy = ("validatingadmissionpolicy", name)
    eventually(lambda: "status" in admin.reads(*policy), "the check of the policy")
    assert admin.reads(*policy)["status"] == {"observedGeneration": 1, "typeChecking": {}}


class TestPlaces:
    @pytest.mark.parametrize("place", ["kube-system", "kube-public", NAMESPACE])
    def test_no_agent_stands_beside_an_account_that_may_do_more(
        self, installed: None, admin: Person, place: str
    ) -> None:
        assert f"no Agent may stand in {place}" in admin.may_not_create(agent(place))

    def test_everywhere_else_agents_may_stand(
        self, person: Lookup, admin: Person, namespace: str
    ) -> None:
        person("ada").creates(agent(namespace))
        assert admin.succeeds("get", "agents.turnout.dev", "support", f"--namespace={namespace}")


class TestKindsOfTheOperator:
    def test_nobody_else_creates_them(self, installed: None, admin: Person, namespace: str) -> None:
        for manifest in (Rollout(namespace).manifest(), version(namespace)):
            assert ONLY_OPERATOR_CREATES in admin.may_not_create(manifest)

    def test_a_run_that_a_rollout_goes_by_is_the_operators(
        self, admin: Person, operator: Person, namespace: str
    ) -> None:
        assert "only the operator creates an EvalRun with purpose Gate" in admin.may_not_create(
            eval_run(namespace, "Gate")
        )
        operator.creates(eval_run(namespace, "Gate"))
        admin.does("delete", "evalruns.turnout.dev", "--all", f"-n={namespace}")
        admin.creates(eval_run(namespace, "Manual"))

    def test_the_operator_creates_them(self, operator: Person, namespace: str) -> None:
        operator.creates(Rollout(namespace).manifest(), version(namespace))
        assert operator.reads(*Rollout(namespace).where)["spec"]["approvals"] == []

    def test_their_namesakes_in_another_namespace_are_strangers(
        self, admin: Person, namespace: str
    ) -> None:
        stranger = Person(admin.cluster, f"system:serviceaccount:{namespace}:turnout")
        words = ("create", "clusterrolebinding", namespace, "--clusterrole=cluster-admin")
        admin.does(*words, f"--user={stranger.name}")
        eventually(lambda: stranger.can("create", "agentversions.turnout.dev"), "the binding")
        assert ONLY_OPERATOR_CREATES in stranger.may_not_create(version(namespace))

    @pytest.mark.parametrize(
        "change",
        [
            {"strategy": {"steps": [{"setWeight": 100}]}},
            {"gate": {"onInconclusive": "PromoteIfHealthy"}},
            {"to": {"version": "support-0000000000"}},
            {"from": {"version": "support-0000000000", "digest": f"sha256:{'0' * 64}"}},
            {"agent": "other"},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_what_a_rollout_began_with_is_not_a_persons_to_change(
        self, admin: Person, rollout: Rollout, change: Json
    ) -> None:
        before = admin.reads(*rollout.where)["spec"]
        assert "AgentRollout" in admin.is_refused(*rollout.patch(**change))
        assert admin.reads(*rollout.where)["spec"] == before

    def test_a_version_is_nobodys_to_change(
        self, admin: Person, operator: Person, namespace: str
    ) -> None:
        operator.creates(version(namespace))
        where = ("agentversions.turnout.dev", "support-9c41e07b2d", f"--namespace={namespace}")
        patch = ("patch", *where, "--type=merge", '--patch={"spec":{"render":2}}')
        assert admin.is_refused(*patch)
        assert admin.reads(*where)["spec"]["render"] == 1

    def test_metadata_is_left_alone_for_the_garbage_collector(
        self, admin: Person, rollout: Rollout
    ) -> None:
        admin.does(*_retouch(*rollout.where))
        assert admin.reads(*rollout.where)["metadata"]["labels"] == {"seen": "yes"}

    def test_a_person_may_delete_them(
        self, admin: Person, operator: Person, rollout: Rollout
    ) -> None:
        operator.creates(version(rollout.namespace))
        admin.does("delete", *rollout.where)
        admin.does("delete", "agentversions.turnout.dev", "--all", f"-n={rollout.namespace}")
        assert rollout.name in admin.is_refused("get", *rollout.where)

    def test_the_garbage_collector_takes_them_with_their_agent(
        self, person: Lookup, operator: Person, namespace: str, garbage_collector: None
    ) -> None:
        ada, owner = person("ada"), _owner(person("ada"), namespace)
        operator.creates(
            Rollout(namespace).manifest(ownerReferences=[owner]),
            version(namespace, ownerReferences=[owner]),
        )
        ada.does("delete", *_support(namespace))
        kinds = "agentrollouts.turnout.dev,agentversions.turnout.dev"
        eventually(
            lambda: not ada.does("get", kinds, f"-n={namespace}", "--output=name"),
            "the collection of what the Agent owned",
        )

    def test_the_garbage_collector_takes_the_reference_to_an_agent_that_leaves_orphans(
        self, person: Lookup, operator: Person, namespace: str, garbage_collector: None
    ) -> None:
        ada, made = person("ada"), Rollout(namespace)
        operator.creates(made.manifest(ownerReferences=[_owner(ada, namespace)]))
        ada.does("delete", *_support(namespace), "--cascade=orphan")
        assert "ownerReferences" not in ada.reads(*made.where)["metadata"]

    def test_a_namespace_goes_with_all_that_is_in_it(
        self, admin: Person, operator: Person, rollout: Rollout
    ) -> None:
        operator.creates(version(rollout.namespace))
        admin.does("delete", "namespace", rollout.namespace, "--wait", "--timeout=60s")
        assert "not found" in admin.is_refused("get", "namespace", rollout.namespace)


def _support(namespace: str) -> tuple[str, ...]:
    return "agents.turnout.dev", "support", f"--namespace={namespace}"


def _owner(person: Person, namespace: str) -> Json:
    """Create the Agent, and return the reference that its children carry."""
    person.creates(agent(namespace))
    made = person.reads(*_support(namespace))
    return {
        "apiVersion": made["apiVersion"],
        "kind": made["kind"],
        "name": made["metadata"]["name"],
        "uid": made["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }


class TestStatus:
    def test_no_status_is_a_persons_to_write(
        self, admin: Person, operator: Person, namespace: str
    ) -> None:
        operator.creates(Rollout(namespace).manifest(), version(namespace))
        admin.creates(*user_objects(namespace))
        found = admin.does("get", "turnout", f"-n={namespace}", "--output=name").split()
        assert len(found) == 10
        for name in found:
            where = (name, f"-n={namespace}", "--subresource=status", "--type=merge")
            status = '--patch={"status":{"observedGeneration":7}}'
            assert ONLY_OPERATOR_STATUS in admin.is_refused("patch", *where, status)

    def test_a_status_that_stands_is_no_intent(self, admin: Person, rollout: Rollout) -> None:
        """A write of the whole object takes its spec only: the status stays the operator's."""
        whole = admin.reads(*rollout.where) | {"status": {"phase": "Promoted"}}
        admin.does("replace", "--filename=-", stdin=json.dumps(whole))
        assert admin.reads(*rollout.where).get("status", {}).get("phase") != "Promoted"

    def test_an_autoscaler_may_scale(self, person: Lookup, namespace: str) -> None:
        ada = person("ada")
        ada.creates(agent(namespace))
        ada.does("scale", *_support(namespace), "--replicas=5")
        assert ada.reads(*_support(namespace))["spec"]["replicas"] == 5


class TestIntent:
    @pytest.mark.parametrize("intent", ["pause", "abort"])
    def test_safe_acts_need_no_more_than_the_edit_role(
        self, person: Lookup, rollout: Rollout, intent: str
    ) -> None:
        ada = person("ada")
        ada.does(*rollout.patch(**{intent: {"by": "ada", "reason": "wrong refunds"}}))
        assert ada.reads(*rollout.where)["spec"][intent]["by"] == "ada"

    @pytest.mark.parametrize("intent", ["pause", "abort", *DECISIVE])
    def test_nobody_acts_in_anothers_name(
        self, person: Lookup, rollout: Rollout, intent: str
    ) -> None:
        wish = {**DECISIVE.get(intent, {}), "by": "ada"}
        assert f"{OWN_NAME}, bo" in person("bo").is_refused(*rollout.patch(**{intent: wish}))

    def test_not_even_an_administrator_does(self, admin: Person, rollout: Rollout) -> None:
        assert OWN_NAME in admin.is_refused(*rollout.patch(abort={"by": "ada"}))

    @pytest.mark.parametrize("intent", DECISIVE)
    def test_letting_a_version_through_takes_the_approvers_role(
        self, person: Lookup, rollout: Rollout, intent: str
    ) -> None:
        def patch(by: str) -> tuple[str, ...]:
            return rollout.patch(**{intent: {**DECISIVE[intent], "by": by}})

        assert NEEDS_RIGHT in person("ada").is_refused(*patch("ada"))
        person("bo").does(*patch("bo"))

    def test_approvals_take_the_approvers_role(self, person: Lookup, rollout: Rollout) -> None:
        assert NEEDS_RIGHT in person("ada").is_refused(*rollout.approval("ada"))
        person("bo").does(*rollout.approval("bo"))

    def test_nobody_approves_in_anothers_name(self, person: Lookup, rollout: Rollout) -> None:
        assert OWN_NAME in person("bo").is_refused(*rollout.approval("ada"))

    def test_one_name_among_several_is_enough_to_refuse(
        self, person: Lookup, rollout: Rollout
    ) -> None:
        both = [{"step": "ship", "by": "bo"}, {"step": "ship", "by": "ada"}]
        assert OWN_NAME in person("bo").is_refused(*rollout.patch(approvals=both))

    def test_every_verb_on_rollouts_is_not_the_right_to_approve(
        self, person: Lookup, rollout: Rollout
    ) -> None:
        assert NEEDS_RIGHT in person("cy").is_refused(*rollout.approval("cy"))

    def test_the_right_to_approve_holds_in_its_namespace_only(
        self, person: Lookup, operator: Person, rollout: Rollout
    ) -> None:
        operator.creates(Rollout("elsewhere").manifest())
        person("dee").does(*Rollout("elsewhere").approval("dee"))
        assert NEEDS_RIGHT in person("dee").is_refused(*rollout.approval("dee"))

    def test_a_cluster_administrator_approves_in_their_own_name(
        self, admin: Person, rollout: Rollout
    ) -> None:
        who = json.loads(admin.does("auth", "whoami", "--output=json"))
        name = who["status"]["userInfo"]["username"]
        admin.does(*rollout.approval(name))
        assert admin.reads(*rollout.where)["spec"]["approvals"] == [{"step": "ship", "by": name}]

    def test_an_approval_stays_when_others_come_and_go(
        self, person: Lookup, admin: Person, rollout: Rollout
    ) -> None:
        person("bo").does(*rollout.approval("bo"))
        assert admin.is_refused(*rollout.patch(approvals=[]))
        person("ada").does(*rollout.patch(pause={"by": "ada"}))
        assert admin.reads(*rollout.where)["spec"]["approvals"] == [{"step": "ship", "by": "bo"}]

    def test_what_another_wished_may_be_ended_but_not_reworded(
        self, person: Lookup, rollout: Rollout
    ) -> None:
        person("ada").does(*rollout.patch(pause={"by": "ada", "reason": "lunch"}))
        reworded = rollout.patch(pause={"reason": "bo said so"})
        assert OWN_NAME in person("bo").is_refused(*reworded)
        person("bo").does(*rollout.patch(pause=None))
        assert "pause" not in person("bo").reads(*rollout.where)["spec"]

    def test_a_viewer_may_do_nothing(self, person: Lookup, rollout: Rollout) -> None:
        vi = person("vi")
        assert vi.reads(*rollout.where)
        assert "cannot patch" in vi.is_refused(*rollout.patch(pause={"by": "vi"}))


class TestSecretsThatJobsSend:
    @pytest.fixture
    def gus(self, installed: None, admin: Person, namespace: str) -> Person:
        """Somebody who may read and edit our kinds in a namespace, and nothing else."""
        where = f"--namespace={namespace}"
        for role in ("turnout-view", "turnout-edit"):
            words = ("create", "rolebinding", role, f"--clusterrole={role}", "--user=gus")
            admin.does(*words, where)
        gus = Person(admin.cluster, "gus")
        rights = [(verb, "prompts.turnout.dev", where) for verb in ("get", "create")]
        eventually(lambda: all(gus.can(*right) for right in rights), "gus' roles")
        return gus

    def test_who_may_not_create_pods_has_no_secret_sent_to_a_server(
        self, gus: Person, namespace: str
    ) -> None:
        refused = gus.may_not_create(registry(namespace, named="crm"))
        assert "gus may not create pods here" in refused
        gus.creates(registry(namespace))
        patch = json.dumps({"spec": registry(namespace, named="crm")["spec"]})
        words = ("patch", "toolregistries.turnout.dev", "tools", f"--namespace={namespace}")
        assert "headersFrom" in gus.is_refused(*words, "--type=merge", f"--patch={patch}")

    def test_who_may_create_pods_may_and_others_may_edit_the_rest(
        self, gus: Person, person: Lookup, namespace: str
    ) -> None:
        person("ada").creates(registry(namespace, named="crm"))
        words = ("toolregistries.turnout.dev", "tools", f"--namespace={namespace}")
        gus.does(*_retouch(*words))
        drift = '--patch={"spec":{"drift":{"policy":"Hold","interval":"1m"}}}'
        gus.does("patch", *words, "--type=merge", drift)

    def test_who_may_not_create_pods_has_no_prompt_read_with_a_secret(
        self, gus: Person, person: Lookup, namespace: str
    ) -> None:
        assert "gus may not create pods here" in gus.may_not_create(prompt(namespace, "mlflow"))
        gus.creates(prompt(namespace))
        patch = json.dumps({"spec": prompt(namespace, "mlflow")["spec"]})
        words = ("patch", "prompts.turnout.dev", "system", f"--namespace={namespace}")
        changed = (*words, "--type=merge", f"--patch={patch}")
        assert "secretRef" in gus.is_refused(*changed)
        person("ada").does(*changed)
        gus.does(*_retouch(*words[1:]))
