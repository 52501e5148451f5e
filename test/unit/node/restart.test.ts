import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadChain, openStateTrie, takeUpTrie } from '../../../src/node/restart.ts'
import { ChainStore, MemoryStore } from '../../../src/storage/index.ts'
import { blockBatchKey, heightKey, metaKeys } from '../../../src/storage/keys.ts'
import { pieceOf } from '../../contract/page-log.ts'
import { aMessage, ChainBuilder } from '../../support/chain-builder.ts'

test('a chain with a hole among its last blocks is damage, not a bug of the program', async () => {
  const backing = new MemoryStore()
  const { genesis, store } = await aChain(backing)
  const restored = await loadChain({ genesis, store, trie: await openStateTrie({ store }) })
  assert.equal(restored.height, 5)

  await backing.write([{ type: 'del', key: heightKey('blockHead', 3) }])
  const damage = { code: 'corrupted', message: /damaged block 3: .*missing/ }
  await assert.rejects(loadChain({ genesis, store, trie: await openStateTrie({ store }) }), damage)
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
  await assert.rejects(loadChain({ genesis, store, trie: await openStateTrie({ store }) }), damage)
})

test('so is a batch of its last blocks that is missing or another one', async () => {
  for (const change of [() => undefined, (batch: Uint8Array) => Uint8Array.from(batch, (byte) => byte ^ 1)]) {
    const backing = new MemoryStore()
    const { genesis, store } = await aChain(backing)
    const key = blockBatchKey(4, 0)
    const batch = backing.get(key)
    assert.ok(batch)
    const value = change(batch)
    await backing.write([value === undefined ? { type: 'del', key } : { type: 'put', key, value }])
    // Whose messages are in the trie's checkpoint already: nobody else looks at them.
    const trie = await openStateTrie({ store })
    assert.ok(trie.height >= 4)
    const damage = { code: 'corrupted', message: /damaged block 4: a batch of it/ }
    await assert.rejects(loadChain({ genesis, store, trie }), damage)
  }
})

test('pages that are gone are made of the blocks again, and none of them is taken for what it is not', async () => {
  const backing = new MemoryStore()
  const chain = await aChain(backing)
  const { top } = chain.trie
  const store = await ChainStore.open({ store: backing, genesis: chain.genesis })
  const { next } = (await takeUpTrie({ store })).pageRange
  assert.ok(next > 1)
  // As if the files had been lost; what a start that is cut off writes under the same numbers must not count.
  await backing.pages.cut({ first: 1, next: 1 })
  for (let start = 0; start < 2; start += 1) {
    let missing = 0
    const trie = await takeUpTrie({ store }, () => (missing += 1))
    assert.equal(missing, start === 0 ? 1 : 0)
    assert.equal(trie.height, 0)
    await backing.pages.append(pieceOf([{ id: 1, bytes: new Uint8Array(1_000) }]))
  }
  const trie = await openStateTrie({ store })
  await loadChain({ genesis: chain.genesis, store, trie })
  assert.deepEqual(trie.top, top)
})

async function aChain(store: MemoryStore): Promise<ChainBuilder> {
  const chain = await ChainBuilder.create({ store })
  for (const text of ['a', 'b', 'c', 'd', 'e']) await chain.addBlock({ messages: [aMessage(text)] })
  return chain
}
