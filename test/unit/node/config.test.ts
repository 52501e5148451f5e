import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  defaultConfig,
  environmentNameOf,
  flagNameOf,
  formatHostPort,
  loadConfig,
  optionKeys,
  optionOf,
  readConfigFile,
} from '../../../src/node/config.ts'
import { configFileText } from '../../../src/node/config-file.ts'
import { exampleConfigText, exampleGenesisText } from '../../../src/node/examples.ts'
import { readGenesisText } from '../../../src/node/genesis.ts'

const home = mkdtempSync(join(tmpdir(), 'diseq-config-'))
after(() => rmSync(home, { recursive: true }))

function withFile(text: string) {
  writeFileSync(join(home, 'config.yaml'), text)
}

test('a home without a config file has the defaults', () => {
  assert.deepEqual(loadConfig({ home: join(home, 'none'), env: {} }), defaultConfig())
})

test('the file wins over the defaults, the environment over the file, flags over all', () => {
  withFile('http: 127.0.0.1:1\nviewTimeoutMs: 100\nlogLevel: warn\n')
  const config = loadConfig({
    home,
    env: { DISEQ_VIEW_TIMEOUT_MS: '200', DISEQ_LOG_LEVEL: 'error' },
    flags: { logLevel: 'debug' },
  })
  assert.equal(formatHostPort(config.http), '127.0.0.1:1')
  assert.equal(config.viewTimeoutMs, 200)
  assert.equal(config.logLevel, 'debug')
})

test('an unknown key of the file is named, with the one that was probably meant', () => {
  assert.throws(() => readConfigFile('viewTimeout: 5', 'a.yaml'), {
    code: 'wrong-config',
    message: 'a.yaml: viewTimeout: there is no such option (did you mean viewTimeoutMs?)',
  })
})

test('an unknown variable with our prefix is named, with the one that was probably meant', () => {
  assert.throws(() => loadConfig({ home, env: { DISEQ_LOGLEVEL: 'info' } }), {
    message: 'environment variable DISEQ_LOGLEVEL: there is no such option (did you mean DISEQ_LOG_LEVEL?)',
  })
})

test('variables of the command line and of others are left alone', () => {
  withFile('')
  const env = { DISEQ_HOME: '/a', DISEQ_NODE: 'http://b', OTHER: 'c' }
  assert.deepEqual(loadConfig({ home, env }), defaultConfig())
})

test('a bad value is named with its place and what is needed', () => {
  withFile('viewTimeoutMs: "100"')
  assert.throws(() => loadConfig({ home, env: {} }), {
    message: `${join(home, 'config.yaml')}: viewTimeoutMs: an integer from 10 to 86400000 is needed`,
  })
  withFile('')
  assert.throws(() => loadConfig({ home, env: { DISEQ_HTTP: '8080' } }), {
    message: 'environment variable DISEQ_HTTP: HOST:PORT, such as 127.0.0.1:8080, is needed',
  })
  assert.throws(() => loadConfig({ home, env: {}, flags: { logLevel: 'loud' } }), {
    message: '--log-level: one of trace, debug, info, warn, error, fatal, silent is needed',
  })
})

test('what is no YAML, or a key given twice, is refused with its line', () => {
  assert.throws(
    () => readConfigFile('http: 127.0.0.1:1\nhttp: 127.0.0.1:2', 'a.yaml'),
    /^HomeError: a\.yaml, line 2: /,
  )
  assert.throws(() => readConfigFile('a: [1', 'a.yaml'), /^HomeError: a\.yaml, line 1: /)
  assert.throws(() => readConfigFile('- http', 'a.yaml'), /lines of "option: value" are needed/)
})

test('integers are taken up to their bounds and no further', () => {
  const read = (value: number) => readConfigFile(`proposalGraceMs: ${value}`, 'a').proposalGraceMs
  assert.equal(read(0), 0)
  assert.equal(read(10_000), 10_000)
  for (const value of [-1, 10_001, 1.5]) assert.throws(() => read(value), /an integer from 0 to 10000/)
})

test('addresses for HTTP are HOST:PORT with IPv6 in brackets', () => {
  const read = (text: string) => loadConfig({ home, env: { DISEQ_HTTP: text } }).http
  assert.deepEqual(read('[::1]:65535'), { host: '::1', port: 65_535 })
  assert.equal(formatHostPort(read('[::1]:80')), '[::1]:80')
  assert.deepEqual(read('node-1.example.org:0'), { host: 'node-1.example.org', port: 0 })
  for (const text of ['::1:80', 'a:65536', 'a', ':80', 'a:b', 'http://a:80'])
    assert.throws(() => read(text), /HOST:PORT/)
})

test('an address of its own for internal routes can be switched off in every place', () => {
  assert.equal(readConfigFile('internalHttp: off', 'a').internalHttp, undefined)
  withFile('internalHttp: 127.0.0.1:9')
  assert.deepEqual(loadConfig({ home, env: {} }).internalHttp, { host: '127.0.0.1', port: 9 })
  assert.equal(loadConfig({ home, env: {}, flags: { internalHttp: 'off' } }).internalHttp, undefined)
  withFile('')
})

test('a bootstrap address without a peer id is refused', () => {
  const id = '12D3KooWDw3eVdPx3eP8wrynvkgDmR7gyDhLeQYRTeQ1ybaiTYWb'
  const read = (text: string) => loadConfig({ home, env: { DISEQ_BOOTSTRAP: text } }).bootstrap
  assert.deepEqual(read(`/ip4/127.0.0.1/tcp/1/p2p/${id}, /dns4/a.example/tcp/2/p2p/${id}`), [
    `/ip4/127.0.0.1/tcp/1/p2p/${id}`,
    `/dns4/a.example/tcp/2/p2p/${id}`,
  ])
  assert.deepEqual(read(''), [])
  assert.throws(() => read('/ip4/127.0.0.1/tcp/1'), /ends in the peer id/)
  assert.throws(() => read('127.0.0.1:9080'), /ends in the peer id/)
})

test('origins and proxies are checked', () => {
  const read = (env: Record<string, string>) => loadConfig({ home, env })
  assert.deepEqual(read({ DISEQ_CORS_ORIGINS: 'https://a.example,*' }).corsOrigins, [
    'https://a.example',
    '*',
  ])
  assert.throws(() => read({ DISEQ_CORS_ORIGINS: 'https://a.example/page' }), /an origin such as/)
  assert.deepEqual(read({ DISEQ_TRUSTED_PROXIES: '10.0.0.0/8,::1/128' }).trustedProxies, [
    '10.0.0.0/8',
    '::1/128',
  ])
  for (const text of ['10.0.0.0/33', '10.0.0.0/8/8', 'proxy']) {
    assert.throws(() => read({ DISEQ_TRUSTED_PROXIES: text }), /an IP address or a range/)
  }
})

test('a cap below the first timeout is refused', () => {
  const env = { DISEQ_VIEW_TIMEOUT_MS: '31000' }
  assert.throws(
    () => loadConfig({ home, env }),
    /viewTimeoutCapMs \(30000\) must be at least viewTimeoutMs \(31000\)/,
  )
  assert.equal(
    loadConfig({ home, env: { ...env, DISEQ_VIEW_TIMEOUT_CAP_MS: '31000' } }).viewTimeoutCapMs,
    31_000,
  )
})

test('names in the environment and of flags follow from the keys, and all are different', () => {
  assert.equal(environmentNameOf('internalHttp'), 'DISEQ_INTERNAL_HTTP')
  assert.equal(flagNameOf('viewTimeoutCapMs'), '--view-timeout-cap-ms')
  assert.equal(new Set(optionKeys.map(environmentNameOf)).size, optionKeys.length)
})

test('a config file that was written gives the values it was written with', () => {
  const values = {
    http: { host: '::1', port: 5 },
    p2p: ['/ip4/127.0.0.1/tcp/1'],
    internalHttp: undefined,
    logLevel: 'warn',
  } as const
  assert.deepEqual(readConfigFile(configFileText(values), 'a'), values)
})

test('a written file with every option at its default says the same as none', () => {
  assert.deepEqual(readConfigFile(configFileText(defaultConfig()), 'a'), defaultConfig())
  assert.deepEqual(readConfigFile(configFileText({}), 'a'), {})
})

test('the examples in config/ are what the table of options gives: run "npm run examples"', () => {
  const example = (name: string) => readFileSync(new URL(`../../../config/${name}`, import.meta.url), 'utf8')
  assert.equal(example('config.yaml'), exampleConfigText())
  assert.equal(example('genesis.json'), exampleGenesisText())
  for (const key of optionKeys) {
    assert.ok(example('config.yaml').includes(`\n#${key}:`), `${key} is missing`)
    assert.notEqual(optionOf(key).description, '')
  }
  assert.equal(readGenesisText(example('genesis.json'), 'genesis.json').validators.length, 4)
})
