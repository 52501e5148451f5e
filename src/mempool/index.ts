// A bounded pool of pending batches. Pure: times and heights are arguments.
export * from './mempool.ts'
export type { Origin, PartName, PartUse, RefusalReason, Size } from './shares.ts'
