# The one image: what the GitHub Action runs, what a GitLab job runs, and the default shell of the sandbox.
#
# No USER and no WORKDIR, because GitHub needs its own: only root can read the workspace that it mounts
# (https://docs.github.com/en/actions/reference/workflows-and-actions/dockerfile-support). What runs untrusted
# commands drops its rights where it starts them.

FROM debian:trixie-slim AS kind
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates golang-go \
 && rm -rf /var/lib/apt/lists/*
# Through the Go module proxy, whose checksum database vouches for what it gives.
RUN CGO_ENABLED=0 GOBIN=/out go install -trimpath -ldflags="-s -w" sigs.k8s.io/kind@v0.30.0

FROM debian:trixie-slim AS python
# The environment has no pip of its own: nothing is to be installed into it later.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3-pip python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv --without-pip /opt/wpk-sandbox
COPY pyproject.toml README.md LICENSE /source/
COPY src /source/src
# Half of the Kubernetes client is its asynchronous twin, 64 MB that nothing here imports.
RUN pip --python /opt/wpk-sandbox/bin/python install --no-cache-dir '/source[cel]' \
 && rm -r /opt/wpk-sandbox/lib/python3*/site-packages/kubernetes/aio

FROM debian:trixie-slim
LABEL org.opencontainers.image.title="wpk-sandbox" \
      org.opencontainers.image.description="Dry-runs WPK runbooks in a throw-away sandbox and reports what they really do." \
      org.opencontainers.image.licenses="Apache-2.0"
# kubectl, curl and jq are not for us: they are what runbooks call, and this image is where they run.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      bubblewrap ca-certificates curl docker-cli git jq kubectl python3 tini \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/dpkg.log /var/log/apt /usr/share/doc /usr/share/man
COPY --from=kind /out/kind /usr/local/bin/kind
COPY --from=python /opt/wpk-sandbox /opt/wpk-sandbox
# The runner gives the action's arguments to the post-entrypoint too, so it is a program of its own that takes none.
RUN ln -s /opt/wpk-sandbox/bin/wpk-sandbox /usr/local/bin/wpk-sandbox \
 && printf '#!/bin/sh\nexec /usr/local/bin/wpk-sandbox reap --ci\n' > /usr/local/bin/wpk-sandbox-post \
 && chmod 755 /usr/local/bin/wpk-sandbox-post
# tini passes signals on and buries the dead: a cancelled job gives us seconds to remove the sandbox.
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/wpk-sandbox"]
CMD ["--help"]
