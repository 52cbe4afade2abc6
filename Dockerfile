# The operator and the example agent. Each final image has an interpreter, the locked dependencies
# and the source, as three layers: no shell, no package manager, nothing that writes to the disk.
#
# BASE lends the interpreter. Wheels come from the build context named `wheels`: a directory that
# `pip download --require-hashes` filled by the lock, so that building needs no index.
#   docker build --target operator --build-context wheels=DIR .
ARG BASE=python:3.11-slim

FROM ${BASE} AS interpreter
COPY devcluster/image/rootfs.py /build/
RUN ["python3", "/build/rootfs.py", "/rootfs"]

FROM ${BASE} AS installer
RUN ["python3", "-m", "venv", "/build/venv"]

FROM installer AS operator-dependencies
COPY requirements/operator.txt /build/
COPY --from=wheels . /build/wheels/
RUN ["/build/venv/bin/pip", "install", "--quiet", "--no-index", "--find-links=/build/wheels", "--require-hashes", "--no-deps", "--no-compile", "--target=/site", "--requirement=/build/operator.txt"]
RUN ["python3", "-m", "compileall", "-q", "-j0", "--invalidation-mode=unchecked-hash", "/site"]

FROM installer AS agent-dependencies
COPY examples/support-agent/requirements.txt /build/
COPY --from=wheels . /build/wheels/
RUN ["/build/venv/bin/pip", "install", "--quiet", "--no-index", "--find-links=/build/wheels", "--require-hashes", "--no-deps", "--no-compile", "--target=/site", "--requirement=/build/requirements.txt"]
RUN ["python3", "-m", "compileall", "-q", "-j0", "--invalidation-mode=unchecked-hash", "/site"]

FROM ${BASE} AS operator-source
COPY src/turnout /app/turnout/
RUN ["python3", "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash", "/app"]

FROM ${BASE} AS agent-source
COPY examples/support-agent/support_agent /app/support_agent/
COPY examples/support-agent/standin /app/standin/
COPY examples/support-agent/loadgen /app/loadgen/
RUN ["python3", "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash", "/app"]

FROM scratch AS operator
COPY --from=interpreter /rootfs/ /
COPY --from=operator-dependencies /site/ /site/
COPY --from=operator-source /app/ /app/
ENV PATH=/usr/local/bin:/usr/bin \
    PYTHONPATH=/app:/site \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
ENTRYPOINT ["python3", "-m", "turnout"]

FROM scratch AS agent
COPY --from=interpreter /rootfs/ /
COPY --from=agent-dependencies /site/ /site/
COPY --from=agent-source /app/ /app/
ENV PATH=/usr/local/bin:/usr/bin \
    PYTHONPATH=/app:/site \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
ENTRYPOINT ["python3", "-m", "support_agent"]
