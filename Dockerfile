# Two stages: the first installs with pip, and the image has only the virtual environment.
FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/weir
COPY pyproject.toml README.md LICENSE ./
COPY proxy ./proxy
RUN /opt/weir/bin/pip install --no-cache-dir .

FROM python:3.12-slim
LABEL org.opencontainers.image.title="splitweir" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 weir \
 && useradd --system --uid 10001 --gid weir --home-dir /var/lib/weir --create-home --shell /usr/sbin/nologin weir
COPY --from=build /opt/weir /opt/weir
ENV PATH="/opt/weir/bin:$PATH" PYTHONUNBUFFERED=1

# The config file is /etc/weir/weir.yaml; the ledger is on a volume, so that it outlives the container.
VOLUME /var/lib/weir
WORKDIR /var/lib/weir
USER weir
EXPOSE 8080

# Checks the admin API on this container's loopback (WEIR_ADMIN sets another address).
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["weir", "healthcheck"]

# SIGTERM reaches weir itself, which stops accepting, finishes requests in flight, and exits with 0.
STOPSIGNAL SIGTERM
ENTRYPOINT ["weir"]
CMD ["run", "--config", "/etc/weir/weir.yaml", "--state", "/var/lib/weir/weir.db"]
