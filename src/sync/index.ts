export { BlockSync, waitingMaxBytes } from './block-sync.ts'
export type * from './ports.ts'
