# Built from a checkout: docker build -t taiji .
# Run read-only, the data directory being the only place it writes:
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges \
#     -v taiji-data:/var/lib/taiji -v "$PWD/etc:/etc/taiji:ro" -p 127.0.0.1:8470:8470 taiji
# etc/ holds serve.yaml (listen on 0.0.0.0 inside, dataDirectory /var/lib/taiji), the policy, the tree and the world.

FROM node:20.19-bookworm-slim AS build
WORKDIR /opt/taiji
# Dependencies first: their layer is kept while only sources change. `prepare` builds, so it waits for them.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
# glpk.js is GPL-3.0 (see NOTICE). An image to hand on under Apache-2.0: docker build --build-arg GLPK=no -t taiji .
ARG GLPK=yes
RUN npm run build && npm prune --omit=dev --ignore-scripts && \
    if [ "$GLPK" = no ]; then rm -r node_modules/glpk.js; fi

FROM node:20.19-bookworm-slim
ENV NODE_ENV=production
WORKDIR /var/lib/taiji
COPY --from=build /opt/taiji/package.json /opt/taiji/LICENSE /opt/taiji/NOTICE /opt/taiji/
COPY --from=build /opt/taiji/node_modules /opt/taiji/node_modules
COPY --from=build /opt/taiji/dist /opt/taiji/dist
RUN install -d -o node -g node -m 0700 /var/lib/taiji
# By number, so that a host that demands a non-root user can tell: "node" of the base image.
USER 1000:1000
VOLUME ["/var/lib/taiji"]
EXPOSE 8470
# Without curl or wget in the image, Node asks itself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8470/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--enable-source-maps", "/opt/taiji/dist/pipeline/cli/main.js"]
CMD ["serve", "--config", "/etc/taiji/serve.yaml"]
