export { default as assert, InvariantBroken } from './assert.ts'
export * from './quorum.ts'
