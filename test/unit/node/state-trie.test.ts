// The trie in the thread that asks and on one of its own: the same contract, over real files; and what is the thread's alone.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { loadChain, openStateTrie, type TrieSettings } from '../../../src/node/restart.ts'
import {
  openTrieThread,
  TrieThread,
  type TrieThreadOptions,
  wantsTrieThread,
} from '../../../src/node/trie-thread.ts'
import { ChainStore, MemoryStore, PageFiles } from '../../../src/storage/index.ts'
import { LocalStateTrie } from '../../../src/trie/index.ts'
import { grow, stateTrieContract } from '../../contract/state-trie.ts'
import { ChainBuilder } from '../../support/chain-builder.ts'
import { aGenesis } from '../storage/chain-fixture.ts'

const parent = await mkdtemp(join(tmpdir(), 'diseq-state-trie-'))
const directories = new Map<ChainStore, string>()
const logs: PageFiles[] = []
const threads: TrieThread[] = []
after(async () => {
  // Each keeps the process.
  await Promise.all(threads.map((thread) => thread.close()))
  await Promise.all(logs.map((log) => log.close()))
  await rm(parent, { recursive: true, force: true })
})

async function aStore(): Promise<ChainStore> {
  const directory = join(parent, `${directories.size}`)
  const pages = await PageFiles.open(directory, { fileBytesMax: 100_000 })
  logs.push(pages)
  const store = await ChainStore.open({ store: new StoreWithFiles(pages), genesis: aGenesis() })
  directories.set(store, directory)
  return store
}

class StoreWithFiles extends MemoryStore {
  override readonly pages: MemoryStore['pages']

  constructor(pages: PageFiles) {
    super()
    this.pages = pages as unknown as MemoryStore['pages']
  }
}

function directoryOf(store: ChainStore): string {
  return directories.get(store) ?? assert.fail()
}

const onFailed = (error: Error) => assert.fail(error)

async function openThread(
  options: Partial<TrieThreadOptions> & { store: ChainStore },
  onMissing?: () => void,
): Promise<TrieThread> {
  const directory = directories.get(options.store) ?? ''
  const thread = await TrieThread.open({ directory, onFailed, ...options }, onMissing)
  threads.push(thread)
  return thread
}

const onThread = (store: ChainStore, settings: TrieSettings = {}) => openThread({ store, ...settings })

stateTrieContract({
  name: 'LocalStateTrie',
  aStore,
  open: (store, settings) => openStateTrie({ store, ...settings }),
})
stateTrieContract({ name: 'TrieThread', aStore, open: onThread })

test('the thread is for machines of four cores or more, unless the operator says otherwise', () => {
  const wants = (option: Parameters<typeof wantsTrieThread>[0]) =>
    [1, 2, 3, 4, 64].map((cores) => wantsTrieThread(option, cores))
  assert.deepEqual(wants('auto'), [false, false, false, true, true])
  assert.deepEqual(new Set(wants('always')), new Set([true]))
  assert.deepEqual(new Set(wants('never')), new Set([false]))
})

test('damage that the thread finds is told as what it is', async () => {
  const store = await aStore()
  const settings = {
    cachedBytesMax: 1,
    rule: { dirtyBytesMax: 1, leavesMax: 1, blocksMax: 1, pieceBytes: 1e6, slackBytes: 1e6 },
  }
  let trie = await onThread(store, settings)
  for (let height = 1; height <= 6; height += 1) await grow(trie, store)
  await trie.close()
  const directory = directoryOf(store)
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    await writeFile(path, Buffer.alloc(100_000, 1), { flag: 'r+' })
  }
  trie = await onThread(store, settings)
  await assert.rejects(trie.path(new Uint8Array(32), trie.height), {
    name: 'StorageError',
    code: 'corrupted',
  })
  await rm(directory, { recursive: true })
  await trie.close()
})

test('pages that are missing are told of, and the trie is made from the beginning', async () => {
  const store = await aStore()
  const settings = {
    rule: { dirtyBytesMax: 1, leavesMax: 1, blocksMax: 1, pieceBytes: 1e6, slackBytes: 1e6 },
  }
  let trie = await onThread(store, settings)
  for (let height = 1; height <= 3; height += 1) await grow(trie, store)
  await trie.close()
  await store.cutTriePages({ first: 1, next: 1 })
  let missing = 0
  trie = await openThread({ store, ...settings }, () => (missing += 1))
  assert.deepEqual([trie.height, trie.top.hash], [0, null])
  assert.equal(missing, 1)
  await trie.close()
})

test('what is asked of a thread that was closed or has failed is refused, whatever was under way', async () => {
  const store = await aStore()
  const trie = await onThread(store)
  const underWay = [trie.execute(0, []), trie.path(new Uint8Array(32), 0)]
  const refused = Promise.all(underWay.map((one) => assert.rejects(one, { code: 'closed' })))
  await trie.close()
  await refused
  await assert.rejects(trie.execute(0, []), { code: 'closed' })

  const failures: string[] = []
  const failing = await openThread({
    store,
    onFailed: ({ message }) => failures.push(message),
    file: await aFileThat('fails'),
  })
  const text = 'the thread of the trie failed: at work'
  const paths = Array.from({ length: 20 }, () => failing.path(new Uint8Array(32), 0))
  await Promise.all([failing.execute(0, []), ...paths].map((one) => assert.rejects(one, { message: text })))
  await assert.rejects(failing.path(new Uint8Array(32), 0), { message: text })
  await failing.close()
  assert.deepEqual(failures, [text])
})

test('a thread that fails while nothing is asked of it is told of', async () => {
  const store = await aStore()
  const failed = Promise.withResolvers<Error>()
  const trie = await openThread({
    store,
    onFailed: failed.resolve,
    file: await aFileThat('fails later'),
  })
  assert.match((await failed.promise).message, /the thread of the trie failed: when idle/)
  await trie.close()
})

test('blocks do not wait for all the proofs that strangers ask for', async () => {
  const store = await aStore()
  const trie = await onThread(store)
  for (let height = 1; height <= 20; height += 1) await grow(trie, store)
  const done: string[] = []
  const paths = Array.from({ length: 100 }, async () => {
    assert.ok(await trie.path(new Uint8Array(32), 10))
    done.push('path')
  })
  await trie.execute(20, [])
  assert.ok(done.length < 20, `${done.length} before the block`)
  await Promise.all(paths)
  await trie.close()
})

test('a chain is taken up with its trie on a thread, from the last checkpoint on', async () => {
  const directory = join(parent, 'chain')
  const pages = await PageFiles.open(directory)
  logs.push(pages)
  const chain = await ChainBuilder.create({ store: new StoreWithFiles(pages) })
  await chain.addBlocksUpTo(22)
  const { genesis, store } = chain
  const trie = await openThread({ store, directory })
  assert.ok(trie.height > 0 && trie.height < 22, `it goes on from block ${trie.height}`)
  const state = await loadChain({ genesis, store, trie })
  assert.deepEqual([trie.height, state.trie], [22, chain.state.trie])
  await trie.close()
})

test('where no thread can be started the trie is in the thread that asks', async () => {
  for (const how of ['throws', 'ends', 'is missing'] as const) {
    const store = await aStore()
    const warnings: string[] = []
    const log = { warn: (_: object, text: string) => void warnings.push(text) }
    const trie = await openTrieThread({
      store,
      directory: directoryOf(store),
      log,
      onFailed,
      file: await aFileThat(how),
    })
    assert.ok(trie instanceof LocalStateTrie)
    assert.deepEqual(warnings, ['the thread of the trie cannot be started; the main thread does its work'])
    await grow(trie, store)
  }
})

async function aFileThat(how: 'throws' | 'ends' | 'fails' | 'fails later' | 'is missing'): Promise<URL> {
  const path = join(parent, `${how}.mjs`)
  const opened =
    "import { parentPort } from 'node:worker_threads'\nparentPort.postMessage({ height: 0, top: {} })"
  const texts = {
    throws: "throw new Error('at its start')",
    ends: '',
    fails: `${opened}; parentPort.on('message', () => { throw new Error('at work') })`,
    'fails later': `${opened}; setTimeout(() => { throw new Error('when idle') }, 20)`,
    'is missing': undefined,
  }
  const text = texts[how]
  if (text !== undefined) await writeFile(path, text)
  return pathToFileURL(path)
}
