FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /portal

COPY requirements/portal.txt requirements/portal.txt
RUN pip install --require-hashes -r requirements/portal.txt && python -m compileall -q /usr/local/lib

COPY . .
# The settings want to know these three; collecting files uses none of them.
RUN PORTAL_SECRET_KEY=build DATABASE_URL=postgres://build/build REDIS_URL=redis://build \
    python manage.py collectstatic --no-input

# 101 is also nginx in its own image: the files are readable for their owner alone, and nginx
# sends some of them (X-Accel).
RUN useradd --no-create-home --uid 101 portal && install -d -o portal -m 700 /documents /proof
USER portal
ENV PORTAL_STORAGE=/documents
VOLUME /documents /proof

EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "codabox_portal.wsgi:application", \
     "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "32", \
     "--workers-kill-timeout", "60"]
