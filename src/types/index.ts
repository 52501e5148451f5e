// Plain data of the protocol; no behaviour. Imports nothing.
export type * from './block.ts'
export type * from './brand.ts'
export type * from './consensus.ts'
export type * from './genesis.ts'
export type * from './message.ts'
export type * from './primitives.ts'
