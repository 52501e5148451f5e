// The HTTP facade: the original's routes, `/v1`, probes. The node implements the ports.
export * from './counters.ts'
export * from './options.ts'
export * from './ports.ts'
export { type ApiServer, createServer } from './server.ts'
