# Fairlead in a container: built from the sources, runs as nobody in particular on a read-only file system.
#   docker build -t fairlead .
#   docker run --read-only --tmpfs /tmp -p 8080:8080 -v ./fairlead.yaml:/etc/fairlead/fairlead.yaml:ro fairlead
FROM node:26-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.ts && npm prune --omit=dev --ignore-scripts

FROM node:26-bookworm-slim
# What the kernel needs of memory for 64,000 connections is more than what a container usually may have: set limits.
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
# The configuration's `admin.bind` is asked: 127.0.0.1:9900 in the examples.
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s \
  CMD ["node", "-e", "fetch('http://'+(process.env.FAIRLEAD_ADMIN||'127.0.0.1:9900')+'/healthz').then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["fairlead"]
CMD ["run", "--config", "/etc/fairlead/fairlead.yaml"]
