import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { formatHostPort, loadConfig } from '../../../src/node/config.ts'
import { readIdentity } from '../../../src/node/home.ts'
import { publicKeysOf } from '../../../src/node/keys.ts'
import { checkAgreement, defaultTestnetOptions, makeTestnet, readTestnet } from '../../../src/node/testnet.ts'

const scratch = mkdtempSync(join(tmpdir(), 'diseq-testnet-'))
after(() => rmSync(scratch, { recursive: true }))
const time = 1_700_000_000_000

test('every node is a validator with ports of its own, and knows two others to join through', () => {
  const output = join(scratch, 'four')
  const { nodes, genesis } = makeTestnet(output, defaultTestnetOptions, time)
  assert.equal(nodes.length, 4)
  const peerIds = nodes.map(({ home }) => publicKeysOf(readIdentity(home).keys).peerId)
  for (const [index, { home }] of nodes.entries()) {
    assert.equal(readIdentity(home).validatorIndex, index)
    assert.equal(readIdentity(home).genesis.hash, genesis.hash)
    const config = loadConfig({ home, env: {} })
    assert.equal(formatHostPort(config.http), `127.0.0.1:${8080 + index}`)
    assert.deepEqual(config.p2p, [`/ip4/127.0.0.1/tcp/${9080 + index}`])
    const others = [0, 1, 2].filter((other) => other !== index).slice(0, 2)
    const addresses = others.map((other) => `/ip4/127.0.0.1/tcp/${9080 + other}/p2p/${peerIds[other]}`)
    assert.deepEqual(config.bootstrap, addresses)
  }
})

test('a network that was made is read again as it was', () => {
  const output = join(scratch, 'again')
  const made = makeTestnet(output, { ...defaultTestnetOptions, validators: 2 }, time)
  assert.deepEqual(readTestnet(output), made)
  assert.equal(readTestnet(join(scratch, 'none')), undefined)
})

test('a folder with anything in it is not touched', () => {
  const output = join(scratch, 'mine')
  mkdirSync(output)
  writeFileSync(join(output, 'diary'), '')
  assert.throws(() => makeTestnet(output, defaultTestnetOptions, time), { code: 'exists' })
  assert.throws(() => readTestnet(output), { code: 'exists' })
  assert.deepEqual(readdirSync(output), ['diary'])
})

test('nothing is left of a network that could not be made', () => {
  const output = join(scratch, 'half')
  assert.throws(() => makeTestnet(output, { ...defaultTestnetOptions, chain: 'No' }, time), {
    code: 'wrong-genesis',
  })
  assert.equal(existsSync(output), false)
  assert.deepEqual(
    readdirSync(scratch).filter((name) => name.includes('half')),
    [],
  )
})

test('options that contradict the folder are refused with both values; equal ones pass', () => {
  checkAgreement('dir', defaultTestnetOptions, { validators: 4 })
  checkAgreement('dir', defaultTestnetOptions, {})
  assert.throws(() => checkAgreement('dir', defaultTestnetOptions, { validators: 7 }), {
    code: 'contradiction',
    message: /^dir: made with --validators 4, and --validators 7 was asked for/,
  })
  assert.throws(
    () => checkAgreement('dir', defaultTestnetOptions, { baseHttpPort: 9000 }),
    /--base-http-port 8080/,
  )
})

test('ports that overlap or do not exist are refused', () => {
  const make = (baseHttpPort: number, baseP2pPort: number, name: string) =>
    makeTestnet(join(scratch, name), { ...defaultTestnetOptions, baseHttpPort, baseP2pPort }, time)
  assert.throws(() => make(8080, 8083, 'overlap'), /they must be 4 apart/)
  assert.throws(() => make(8080, 65_533, 'high'), /ports up to 65536/)
  assert.equal(make(65_532, 65_528, 'fits').nodes.length, 4)
})

test('with a host each, all nodes use the base ports', () => {
  const output = join(scratch, 'hosts')
  const hosts = ['alpha', '192.0.2.7']
  const { nodes } = makeTestnet(output, { ...defaultTestnetOptions, validators: 2, hosts }, time)
  const configs = nodes.map(({ home }) => loadConfig({ home, env: {} }))
  assert.deepEqual(
    configs.map(({ p2p }) => p2p),
    [['/ip4/0.0.0.0/tcp/9080'], ['/ip4/0.0.0.0/tcp/9080']],
  )
  assert.match(configs[0]?.bootstrap[0] ?? '', /^\/ip4\/192\.0\.2\.7\/tcp\/9080\/p2p\//)
  assert.match(configs[1]?.bootstrap[0] ?? '', /^\/dns4\/alpha\/tcp\/9080\/p2p\//)
  const tooFew = { ...defaultTestnetOptions, hosts }
  assert.throws(
    () => makeTestnet(join(scratch, 'few'), tooFew, time),
    /4 validators need as many hosts, not 2/,
  )
})
