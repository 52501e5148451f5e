// Who may import whom. The table is the one of CONTRIBUTING.md; a new import that breaks it is a question about where
// the code belongs, before it is a question about this table.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../../src', import.meta.url))

/** What each room may import besides itself and `types`: a room by its index and entries, `room/folder` for entries in
 *  that folder only, or `room/file` for one entry. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  types: [],
  codec: [],
  crypto: [],
  quorum: [],
  mempool: [],
  consensus: ['quorum', 'crypto/portable'],
  trie: ['crypto'],
  sequencing: ['codec', 'quorum', 'crypto/portable', 'trie'],
  proofs: [
    'codec',
    'quorum',
    'crypto/portable',
    'crypto/domain',
    'trie/verify',
    'sequencing/evidence',
    'sequencing/merkle',
    'sequencing/roots',
  ],
  client: ['codec', 'proofs'],
  light: ['codec', 'proofs', 'client'],
  explorer: [],
  chain: ['trie', 'sequencing'],
  sync: [],
  storage: ['codec', 'crypto', 'trie'],
  // `quorum`: a certificate is checked before it is believed, and only a quorum makes one.
  network: ['codec', 'crypto', 'quorum'],
  api: ['codec'],
  bench: ['client'],
  cli: ['node', 'client', 'light', 'proofs', 'simulation', 'bench'],
}
/** Where the rule is a list of exceptions. */
const forbidden: Readonly<Record<string, readonly string[]>> = {
  simulation: ['network', 'api', 'cli', 'bench'],
  node: ['cli', 'simulation', 'bench'],
}
/** Single files that a room may import although its room is closed to it. The simulator verifies what its imagined
 *  network carries as the real one does. */
const exceptions: Readonly<Record<string, readonly string[]>> = { simulation: ['network/verify.ts'] }
/** Files by which a room may be entered besides its index.ts. `node` has no index: the command line would load all of
 *  it, libp2p and LevelDB included, to print a help text. */
const entries: Readonly<Record<string, RegExp>> = {
  // Hashes and hex alone, for rooms that would otherwise load the curves as well.
  crypto: /^((native|portable)\/(index|hash|hex)|domain)\.ts$/,
  // What a bundle for browsers takes, and what a block writes of the trie.
  trie: /^(verify|stored-trie)\.ts$/,
  quorum: /^assert\.ts$/,
  // Trees of a header, and evidence: for who checks proofs without making blocks.
  sequencing: /^(evidence|merkle|roots)\.ts$/,
  // Making proofs is the node's part; a verifier does not load it.
  proofs: /^make\.ts$/,
  node: /^(check|config|genesis|home|inspect|keys|log|node|signing-file|testnet|validator-record|version)\.ts$|^(chain-head|replica|restart|schemes|signing|submission)\.ts$/,
  network: /^verify\.ts$/,
  // What the thread of the trie takes, which has no use for LevelDB.
  storage: /^(page-reader|errors)\.ts$/,
}
/** What a room implements is declared by the room that needs it. */
const portFiles = /^ports\.ts$/
/** What runs in a browser: these, and all that they import. */
const portable =
  /^(types|codec|quorum|proofs|client|light)\/|^crypto\/(index|domain)\.ts$|^crypto\/portable\/|^trie\/verify\.ts$|^sequencing\/(evidence|merkle|roots)\.ts$/

interface Import {
  readonly from: string
  /** As written. */
  readonly specifier: string
  /** Path under src of what is imported, for an import of our own. */
  readonly target: string | undefined
  readonly isTypeOnly: boolean
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
const importsByFile = new Map(files.map((path) => [path, importsOf(path)]))
const imports = [...importsByFile.values()].flat()

test('no room imports what the table does not allow it', () => {
  const wrong = imports.filter((each) => each.target !== undefined && !isAllowed(each, each.target))
  assert.deepEqual(wrong.map(describeImport), [])
})

test('every room is in the table', () => {
  const rooms = new Set(files.filter((path) => path.includes('/')).map(roomOf))
  const unknown = [...rooms].filter(
    (room) => !Object.hasOwn(allowed, room) && !Object.hasOwn(forbidden, room),
  )
  assert.deepEqual(unknown, [])
})

test('rooms are entered by their index or a documented entry', () => {
  const wrong = imports.filter(({ from, target }) => {
    if (target === undefined || roomOf(from) === roomOf(target)) return false
    const file = target.slice(roomOf(target).length + 1)
    return file !== 'index.ts' && !portFiles.test(file) && entries[roomOf(target)]?.test(file) !== true
  })
  assert.deepEqual(wrong.map(describeImport), [])
})

test('files of a room import their siblings, never their own index', () => {
  const wrong = imports.filter(({ from, target }) => target === `${roomOf(from)}/index.ts`)
  assert.deepEqual(wrong.map(describeImport), [])
})

test('what runs in a browser imports nothing of Node, by whatever way', () => {
  const wrong = files.filter((path) => portable.test(path)).flatMap((path) => wayToNode(path, new Set()))
  assert.deepEqual(wrong, [])
})

test('the consensus core imports no package and nothing of Node but assert', () => {
  const wrong = imports.filter(
    ({ from, target, specifier }) =>
      roomOf(from) === 'consensus' && target === undefined && !specifier.startsWith('node:assert'),
  )
  assert.deepEqual(wrong.map(describeImport), [])
})

function isAllowed({ from, isTypeOnly }: Import, target: string): boolean {
  const [room, wanted] = [roomOf(from), roomOf(target)]
  if (room === wanted || wanted === 'types' || exceptions[room]?.includes(target)) return true
  // A port is implemented by the room it is for.
  if (isTypeOnly && portFiles.test(target.slice(wanted.length + 1))) return true
  const list = allowed[room]
  if (list === undefined) return forbidden[room]?.includes(wanted) === false
  return list.includes(wanted) || list.includes(dirname(target)) || list.includes(target.replace(/\.ts$/, ''))
}

/** A chain of imports from `path` to a builtin of Node, if there is one. */
function wayToNode(path: string, seen: Set<string>): string[] {
  if (seen.has(path)) return []
  seen.add(path)
  for (const { specifier, target, isTypeOnly } of importsByFile.get(path) ?? []) {
    if (isTypeOnly) continue
    if (specifier.startsWith('node:')) return [`${path} imports ${specifier}`]
    const way = target === undefined ? [] : wayToNode(target, seen)
    if (way.length > 0) return [`${path} imports ${way[0]}`]
  }
  return []
}

function importsOf(path: string): Import[] {
  const text = readFileSync(join(source, path), 'utf8').replace(/^\s*\/\/.*$/gm, '')
  const forms =
    /^\s*(?:import|export)\s+(type\s)?(?:[^'"();]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm
  return [...text.matchAll(forms)].map(([, type, fixed, dynamic]) => {
    const specifier = fixed ?? dynamic ?? ''
    const isOwn = specifier.startsWith('.')
    const target = isOwn
      ? relative(source, join(source, dirname(path), specifier)).replaceAll('\\', '/')
      : undefined
    return { from: path, specifier, target, isTypeOnly: type !== undefined }
  })
}

function roomOf(path: string): string {
  return path.split('/')[0] ?? ''
}

function describeImport({ from, target, specifier }: Import): string {
  return `${from} imports ${target ?? specifier}`
}
