"""The tasks for Inspect AI: the agent is a model of OpenAI's form."""

from customer import TASKS
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes
from inspect_ai.solver import generate


@task
def support():
    samples = [Sample(id=one["id"], input=one["input"], target=one["expects"]) for one in TASKS]
    return Task(dataset=samples, solver=generate(), scorer=includes(ignore_case=False))
