// The disk: the chain's database, and apart from it the record of what was signed.
export { type AuditOptions, auditStore } from './audit.ts'
export type { SequencedBlock } from './block-records.ts'
export { ChainReader, messagesOf, type StoredBlock } from './chain-reader.ts'
export {
  ChainStore,
  type ChainStoreOptions,
  checkFormat,
  type FinalStep,
  type PoolBatch,
  provableRoots,
  readSigningNumber,
  type Step,
} from './chain-store.ts'
export { corrupted, type StorageCode, StorageError } from './errors.ts'
export type { HeightFrame } from './frames.ts'
export type * from './key-value.ts'
export { metaKeys } from './keys.ts'
export { LevelStore } from './level.ts'
export { MemoryStore } from './memory.ts'
export { defaultPartMessages } from './message-index.ts'
export { pagesDirectory } from './page-bytes.ts'
export { PageFiles } from './page-files.ts'
export { MemoryPageLog, type PageLog, type PageRange } from './page-log.ts'
export type { KnownPeer } from './peers.ts'
export { NodeRecordFile, type RecordFile } from './record-file.ts'
export type { BatchPlace, MessagePlace, Refusal, SkippedMessage, Tip } from './records.ts'
export {
  checkAgainstDatabase,
  readRecord,
  SigningRecord,
  type SigningRecordOptions,
} from './signing-record.ts'
export {
  type RecordedSignature,
  type RefusalCode,
  SigningRefused,
  type SigningRequest,
} from './signing-rules.ts'
export { lastStoredHeight, readPieces, type StoredPieces } from './stored-block.ts'
