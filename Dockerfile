# The host with its example plugins. It needs nothing but NATS (and MongoDB, unless values are to be kept in a file):
#   docker run --read-only --tmpfs /tmp --cap-drop ALL -e NATS_URL=nats://… network-host
#
# NODE_IMAGE is any image with Node 26 and npm; offline, scripts/servers/images.sh makes one (node:local).
ARG NODE_IMAGE=node:26-slim

FROM ${NODE_IMAGE} AS production-dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Install scripts of packages have no business here; Node 26 comes with the base image.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build
# The image's own components are compiled here, so that a replica starts without compiling. Every user may read them, and
# nobody but root may change them.
RUN node dist/main.js compile examples/*/*.wasm --cache /var/cache/network-host \
  && chmod -R a+rX,go-w /var/cache/network-host

FROM ${NODE_IMAGE}
WORKDIR /app
# Components that the image does not bring are compiled into /tmp; compile your own as above, or set CACHE_DIR. Values are kept in /var/lib/network-host unless MONGODB_URL
# is set: mount a volume there.
ENV NODE_ENV=production \
    HEALTH_PORT=0.0.0.0:8080 \
    CACHE_DIR=/var/cache/network-host \
    XDG_STATE_HOME=/var/lib
RUN mkdir -p /var/lib/network-host && chown 1000:1000 /var/lib/network-host
COPY --from=production-dependencies /app/node_modules node_modules
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/dist dist
COPY --from=build /var/cache/network-host /var/cache/network-host
COPY --from=build /app/wit wit
COPY --from=build /app/schemas schemas
COPY --from=build /app/consumers consumers
COPY --from=build /app/policy policy
COPY --from=build /app/examples examples
# For `docker exec … network-host status`.
RUN printf '#!/bin/sh\nexec node /app/dist/main.js "$@"\n' > /usr/local/bin/network-host && chmod 755 /usr/local/bin/network-host
# By number, so that an orchestrator can see that it is not root.
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--disable-sigusr1", "dist/main.js"]
CMD ["serve"]
