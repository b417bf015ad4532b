# The reference service. Give it BETTER_AUTH_SECRET and DATABASE_URL.
FROM python:3.13-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev pkg-config libssl-dev
WORKDIR /build
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE ./
COPY csrc csrc
COPY python python
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir ".[all]"

FROM python:3.13-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libssl3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home fastbearer
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH
USER fastbearer
WORKDIR /home/fastbearer
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz')"]
STOPSIGNAL SIGTERM
CMD ["fastbearer", "serve", "--host", "0.0.0.0", "--workers", "2"]
