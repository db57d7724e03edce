# A deployment pins the base image to what it was tested with. With Docker, one command writes its digest into both lines:
#   sed -i "s|^FROM python:3.11-slim|&@$(docker buildx imagetools inspect python:3.11-slim --format '{{.Manifest.Digest}}')|" Dockerfile
# Two stages: the second one has the portal and its libraries, and no tools to build or install.
# The third one is for backup and restore only.
FROM python:3.11-slim AS build

ENV PIP_NO_CACHE_DIR=1
WORKDIR /portal
RUN python -m venv /venv
COPY requirements requirements
# --build-arg PINS="portal telemetry": with OpenTelemetry and Sentry.
ARG PINS=portal
RUN for pins in $PINS; do /venv/bin/pip install --require-hashes -r requirements/$pins.txt || exit 1; done \
    && /venv/bin/pip uninstall --yes pip && /venv/bin/python -m compileall -q /venv
COPY . .
# The settings want to know these four; collecting files uses none of them.
RUN PORTAL_URL=https://build PORTAL_SECRET_KEY=build DATABASE_URL=postgres://build/build REDIS_URL=redis://build \
    /venv/bin/python manage.py collectstatic --no-input && /venv/bin/python -m compileall -q .

FROM python:3.11-slim AS portal

ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORTAL_STORAGE=/documents
WORKDIR /portal
COPY --from=build /venv /venv
COPY --from=build /portal /portal
# 101 is also nginx in its own image: the files are readable for their owner alone, and nginx
# sends some of them (X-Accel). Code and libraries belong to root: the portal cannot change itself.
RUN install -d -o 101 -g 101 -m 700 /documents /proof
USER 101:101
# Calls that wait for a change keep a thread each; 32 of the 136 below are left for all others.
ENV PORTAL_WAITS_AT_ONCE=104
VOLUME /documents /proof

EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-c", \
     "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["granian", "--interface", "wsgi", "codabox_portal.wsgi:application", \
     "--host", "0.0.0.0", "--port", "8000", "--http", "1", "--workers", "2", "--blocking-threads", "136", \
     "--workers-kill-timeout", "60", "--respawn-failed-workers", "--respawn-interval", "0.5"]

# pg_dump and pg_restore must not be older than the server of docker-compose.yml.
FROM portal AS backup

USER root
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install --yes --no-install-recommends postgresql-client-18 && rm -rf /var/lib/apt/lists/*
USER 101:101
HEALTHCHECK NONE

# Without a target, the portal itself is built.
FROM portal
