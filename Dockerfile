# Fairlead in a container: built from the sources, runs without root on a read-only file system.
#   docker build -t fairlead .
#   docker run --read-only --tmpfs /tmp -p 8080:8080 -v ./fairlead.yaml:/etc/fairlead/fairlead.yaml:ro fairlead
FROM node:26-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.ts && npm prune --omit=dev --ignore-scripts

FROM node:26-bookworm-slim
# Kernel memory counts against the container's limit: tens of thousands of connections exceed a typical one, so configure
# `limits.connections`.
ENV NODE_ENV=production
WORKDIR /opt/fairlead
COPY --from=build /src/package.json /src/fairlead.schema.json ./
COPY --from=build /src/node_modules ./node_modules
COPY --from=build /src/dist ./dist
COPY --from=build /src/examples ./examples
RUN ln -s /opt/fairlead/dist/bin/fairlead.js /usr/local/bin/fairlead && fairlead check examples/minimal.yaml
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
# Queries the admin API: FAIRLEAD_ADMIN must match the configuration's `admin.bind` if that is not 127.0.0.1:9900.
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s \
  CMD ["fairlead", "healthcheck"]
ENTRYPOINT ["fairlead"]
CMD ["run", "--config", "/etc/fairlead/fairlead.yaml"]
