# The service as an image: `docker build -t kpass-vc .`; compose.yaml runs it with PostgreSQL.
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS build
WORKDIR /build
COPY . .
RUN VENV=/opt/kpass ./install.sh image

FROM ${PYTHON}
RUN groupadd --gid 10001 kpass \
 && useradd --uid 10001 --gid kpass --no-create-home --home-dir /var/lib/kpass --shell /usr/sbin/nologin kpass \
 && install -d -o kpass -g kpass -m 0700 /var/lib/kpass /var/lib/kpass/var /var/lib/kpass/keys /var/lib/kpass/kek \
 && install -d -o kpass -g kpass -m 0755 /var/lib/kpass/password
COPY --from=build /opt/kpass /opt/kpass
ENV PATH=/opt/kpass/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    KPASS_HOST=0.0.0.0 \
    KPASS_PORT=8000 \
    KPASS_DATABASE_URL=sqlite:////var/lib/kpass/var/kpass.db \
    KPASS_KEYS_DIR=/var/lib/kpass/keys \
    KPASS_KEK_FILE=/var/lib/kpass/kek/kek
WORKDIR /var/lib/kpass
# Three places, so that a copy of one of them opens nothing: records, encrypted keys, and the key to the keys.
VOLUME ["/var/lib/kpass/var", "/var/lib/kpass/keys", "/var/lib/kpass/kek"]
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-m", "kpass_vc.healthy"]
ENTRYPOINT ["kpass"]
CMD ["serve"]
