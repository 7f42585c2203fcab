# The builder installs what the lock pins and builds the wheel; the image that runs holds neither sources nor caches.
FROM python:3.13-slim-bookworm AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/vistnyk
WORKDIR /src
COPY requirements.lock ./
RUN /opt/vistnyk/bin/pip install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY alembic alembic
COPY config config
COPY examples examples
RUN /opt/vistnyk/bin/pip install --no-deps --no-build-isolation --no-index .

FROM python:3.13-slim-bookworm
RUN groupadd --system --gid 10001 vistnyk \
    && useradd --system --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin vistnyk \
    && install --directory --owner=10001 --group=10001 /data
COPY --from=builder /opt/vistnyk /opt/vistnyk
ENV PATH=/opt/vistnyk/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    VISTNYK_WEB__HOST=0.0.0.0 \
    VISTNYK_DATABASE_URL=sqlite+aiosqlite:////data/vistnyk.db
# The outlet's configuration is mounted at /srv/vistnyk/config.
WORKDIR /srv/vistnyk
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", "import http.client, os, sys; env = os.environ.get; port = int(env('VISTNYK_WEB__OPS_PORT') or 0) or int(env('VISTNYK_WEB__PORT') or 8080); call = http.client.HTTPConnection('127.0.0.1', port, timeout=4); call.request('GET', '/healthz'); sys.exit(call.getresponse().status != 200)"]
ENTRYPOINT ["vistnyk"]
CMD ["run", "--migrate"]
