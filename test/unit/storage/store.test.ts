import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { LevelStore, MemoryStore } from '../../../src/storage/index.ts'
import { storeContract } from '../../contract/store.ts'

const directory = await mkdtemp(join(tmpdir(), 'diseq-store-'))
after(() => rm(directory, { recursive: true, force: true }))

let count = 0
storeContract({ name: 'MemoryStore', open: async () => new MemoryStore() })
storeContract({
  name: 'LevelStore',
  open: () => {
    count += 1
    return LevelStore.open(join(directory, String(count)))
  },
})
