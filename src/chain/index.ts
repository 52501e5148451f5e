// What finalising one block changes: the trie, and what the next height goes by.
export {
  advance,
  type ChainState,
  type ChainStep,
  convictedBy,
  genesisState,
  restoreState,
  restoreWindowBlocks,
} from './state.ts'
