export { BlockSync } from './block-sync.ts'
export type * from './ports.ts'
