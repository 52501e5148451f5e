import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadChain, openTrie } from '../../../src/node/restart.ts'
import { MemoryStore } from '../../../src/storage/index.ts'
import { heightKey, metaKeys } from '../../../src/storage/keys.ts'
import { aMessage, ChainBuilder } from '../../support/chain-builder.ts'

test('a chain with a hole among its last blocks is damage, not a bug of the program', async () => {
  const backing = new MemoryStore()
  const { genesis, store } = await aChain(backing)
  const restored = await loadChain({ genesis, store, trie: openTrie({ store }) })
  assert.equal(restored.height, 5)

  await backing.write([{ type: 'del', key: heightKey('blockHead', 3) }])
  const damage = { code: 'corrupted', message: /damaged block 3: .*missing/ }
  await assert.rejects(loadChain({ genesis, store, trie: openTrie({ store }) }), damage)
})

test('so is a block whose messages are not those of its header', async () => {
  const backing = new MemoryStore()
  const { genesis, store } = await aChain(backing)
  const [third, fourth] = [3, 4].map((height) => heightKey('header', height))
  const other = fourth === undefined ? undefined : backing.get(fourth)
  assert.ok(third !== undefined && other !== undefined)
  await backing.write([
    { type: 'put', key: third, value: other },
    // So that the trie is made of the blocks again.
    { type: 'del', key: metaKeys.trieCheckpoint },
  ])

  const damage = { code: 'corrupted', message: /damaged block 3: / }
  await assert.rejects(loadChain({ genesis, store, trie: openTrie({ store }) }), damage)
})

async function aChain(store: MemoryStore): Promise<ChainBuilder> {
  const chain = await ChainBuilder.create({ store })
  for (const text of ['a', 'b', 'c', 'd', 'e']) await chain.addBlock({ messages: [aMessage(text)] })
  return chain
}
