// The pure voting core. See step.ts.
export type * from './input.ts'
export { leaderOf, leaderOrder } from './leader.ts'
export type * from './output.ts'
export { type CoreConfig, type CoreState, createState, type ViewState, viewsAhead } from './state.ts'
export { step } from './step.ts'
