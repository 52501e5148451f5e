# A node as an image: built in one stage, run in another that holds Node, the program and what it needs to run.
#   docker build -t diseq .
#   docker run --rm diseq --help
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Without install scripts: native parts come prebuilt, and the pinned Node is the image's own.
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN node scripts/build.mjs \
    && npm prune --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error \
    # What no node reads at run time, and the native parts for other systems.
    && find node_modules dist -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name '*.md' \) -delete \
    && find node_modules -type d -path '*/prebuilds/*' -not -name 'linux-*' -prune -exec rm -rf {} + \
    && rm -rf node_modules/*/deps node_modules/.bin

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="DISEQ" \
      org.opencontainers.image.description="A node of a DISEQ network: validators that agree on one order of messages" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY --from=build /app/package.json /app/
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY LICENSE /app/
RUN ln -s /app/dist/cli/main.js /usr/local/bin/diseq \
    # The home of the node; a volume that is mounted here for the first time takes its owner over.
    && install -d -o node -g node -m 0700 /data
ENV NODE_ENV=production \
    DISEQ_HOME=/data \
    DISEQ_HTTP=0.0.0.0:8080 \
    DISEQ_LOG_FORMAT=json \
    # As src/cli/node-process.ts has it.
    MALLOC_ARENA_MAX=1 \
    NODE_OPTIONS=--max-semi-space-size=8
USER node
EXPOSE 8080 9080
# Whether the process answers. A node that catches up is alive and not ready, and nobody should end it for that.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:8080/health/live').then((reply) => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["diseq"]
CMD ["start"]
