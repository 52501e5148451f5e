export * from './quorum.ts'
