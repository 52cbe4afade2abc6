"""The one channel by which Jobs report: a listener that believes only what it can prove.

An answer is taken from the pod that the token is bound to, if that pod belongs to a running Job
whose name and word stand in the status of the object that asked. Statuses are written by the
operator alone, so a Job that somebody else made has no place there.
"""

import asyncio
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import structlog
from aiohttp import web
from pydantic import ValidationError

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Document, Ref
from turnout.adapters.ports import Badge, Badges, Cluster
from turnout.api.task import TaskStatus
from turnout.core.tasks import read_answer, sha256
from turnout.errors import Forbidden, Invalid, NotFound, Transient
from turnout.runtime.inbox import Inbox
from turnout.runtime.relations import owner_of
from turnout.runtime.store import Store

logger = structlog.stdlib.get_logger(__name__)

MOST_BYTES: Final = 1024 * 1024
"""Largest body: an answer of 700 KiB with its quotes escaped."""

MOST_AT_ONCE: Final = 16
"""Reports read at the same time; more are asked to come again."""

PATIENCE: Final = 15.0
"""Seconds that a report waits for its object's look."""

_ASKERS = (kinds.TOOL_REGISTRY, kinds.PROMPT, kinds.EVAL_RUN)
_FIELDS = ("jobUid", "nonce", "digest", "answer")


class Refusal(Exception):
    """A report that is not taken, with the status that says whether to come again."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


@dataclass(frozen=True)
class _Report:
    job_uid: str
    nonce: str
    digest: str
    answer: str


class Answers:
    """Takes reports while this replica leads."""

    def __init__(
        self,
        badges: Badges,
        cluster: Cluster,
        store: Store,
        inbox: Inbox,
        leads: Callable[[], bool],
    ) -> None:
        self._badges = badges
        self._cluster = cluster
        self._store = store
        self._inbox = inbox
        self._leads = leads
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    def application(self) -> web.Application:
        """Build the listener's one endpoint."""
        app = web.Application(client_max_size=MOST_BYTES)
        app.add_routes([web.post("/reports", self._handle)])
        return app

    async def _handle(self, request: web.Request) -> web.Response:
        try:
            await self._take(request)
        except Refusal as refusal:
            if refusal.status != HTTPStatus.SERVICE_UNAVAILABLE:
                logger.warning("report refused", status=int(refusal.status), reason=refusal.why)
            return web.Response(status=refusal.status, text=refusal.why)
        return web.Response(text="taken")

    async def _take(self, request: web.Request) -> None:
        if not self._leads():
            raise _again("another replica leads")
        if self._room.locked():
            raise _again("too many reports at once")
        async with self._room:
            badge = await self._badge(request)
            report = _read(await request.read())
            ref = await self._asker(badge, report)
            try:
                answer = read_answer(report.nonce, report.answer)
            except ValueError as error:
                raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from error
            if answer.progress is not None and ref.kind != kinds.EVAL_RUN:
                raise Refusal(HTTPStatus.BAD_REQUEST, "nobody asked how far the Job is")
            if not await self._inbox.take(ref, answer, PATIENCE):
                raise _again("not written yet")

    async def _badge(self, request: web.Request) -> Badge:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            raise Refusal(HTTPStatus.UNAUTHORIZED, "a token is needed")
        try:
            return await self._badges.read(token)
        except Invalid as error:
            raise Refusal(HTTPStatus.UNAUTHORIZED, error.message) from error
        except (Transient, Forbidden) as error:
            logger.warning("token not checked", error=str(error))
            raise _again("the token cannot be checked now") from error

    async def _asker(self, badge: Badge, report: _Report) -> Ref:
        """Find the object that asked, by pod, Job and word: live, not as remembered."""
        try:
            pod = await self._cluster.get(Ref(kinds.POD, badge.namespace, badge.pod))
            job_ref = _controller(pod, badge.uid)
            job = await self._cluster.get(Ref(kinds.JOB, badge.namespace, job_ref["name"]))
        except NotFound as error:
            raise _stranger("its pod or Job is gone") from error
        except (Transient, Forbidden, Invalid) as error:
            raise _again("its pod or Job cannot be read now") from error
        if job["metadata"]["uid"] != job_ref["uid"] or report.job_uid != job_ref["uid"]:
            raise _stranger("the Job is another one")
        if _has_ended(job):
            raise _stranger("the Job has ended")
        return self._owner(badge.namespace, job, report)

    def _owner(self, namespace: str, job: Document, report: _Report) -> Ref:
        metadata = job["metadata"]
        ref = owner_of(Ref(kinds.JOB, namespace, metadata["name"]), job)
        if ref is None or ref.kind not in _ASKERS:
            raise _stranger("nothing of ours owns the Job")
        document = self._store.get(ref)
        if document is None or isinstance(document, Invalid):
            raise _stranger("what owns the Job is gone")
        owner = next(one for one in metadata["ownerReferences"] if one.get("controller"))
        if owner["uid"] != document["metadata"]["uid"]:
            raise _stranger("the Job was made for an object that is gone")
        _check_word(document, metadata["name"], report.nonce)
        return ref


def _check_word(document: Document, job: str, nonce: str) -> None:
    """Compare Job and word with those on record."""
    found = (document.get("status") or {}).get("task")
    if found is None:
        raise _stranger("nothing was asked")
    try:
        task = TaskStatus.model_validate(found)
    except ValidationError as error:
        raise _stranger("what was asked is not on record") from error
    if task.job != job or not hmac.compare_digest(task.nonce_hash, sha256(nonce)):
        raise _stranger("it is not the Job that was asked")
    if task.ended_at is not None:
        raise Refusal(HTTPStatus.CONFLICT, "the Job's one answer was taken, or it came too late")


def _read(body: bytes) -> _Report:
    try:
        document = json.loads(body)
        fields = [document[name] for name in _FIELDS]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, "the report is not what a Job writes") from error
    if not all(isinstance(field, str) for field in fields):
        raise Refusal(HTTPStatus.BAD_REQUEST, "the report is not what a Job writes")
    report = _Report(*fields)
    if not hmac.compare_digest(sha256(report.answer), report.digest):
        raise Refusal(HTTPStatus.BAD_REQUEST, "the answer has another digest than it says")
    return report


def _controller(pod: Document, uid: str) -> Any:
    """Return the reference of a pod to its Job."""
    metadata = pod["metadata"]
    if metadata["uid"] != uid or "deletionTimestamp" in metadata:
        raise _stranger("its pod is gone")
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller") and (owner["apiVersion"], owner["kind"]) == ("batch/v1", "Job"):
            return owner
    raise _stranger("no Job controls its pod")


def _has_ended(job: Document) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    ended = any(
        one["status"] == "True" for one in conditions if one["type"] in {"Complete", "Failed"}
    )
    return ended or "deletionTimestamp" in job["metadata"]


def _stranger(why: str) -> Refusal:
    return Refusal(HTTPStatus.FORBIDDEN, why)


def _again(why: str) -> Refusal:
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, why)
