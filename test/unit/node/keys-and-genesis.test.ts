import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeGenesis, readGenesisText, validatorIndexOf } from '../../../src/node/genesis.ts'
import { homePaths, makeHome, readIdentity } from '../../../src/node/home.ts'
import { exposedKeyFiles, type NodeKeys, randomKeys, readKeys, writeKeys } from '../../../src/node/keys.ts'
import { checkValidatorRecord, validatorRecordOf } from '../../../src/node/validator-record.ts'

const scratch = mkdtempSync(join(tmpdir(), 'diseq-keys-'))
after(() => rmSync(scratch, { recursive: true }))
let folders = 0
const newHome = () => join(scratch, `home${folders++}`)

const time = 1_700_000_000_000
const recordFile = (keys: NodeKeys, name: string) => ({
  source: `${name}.json`,
  text: JSON.stringify(validatorRecordOf(keys, { name, power: 1 })),
})
/** A record with some fields replaced. */
const changed = (keys: NodeKeys, fields: object) =>
  JSON.stringify({ ...validatorRecordOf(keys, { name: 'a', power: 1 }), ...fields })

test('keys that were written are read back, from files that only their owner may read', () => {
  for (const hasOwnVrfSecret of [false, true]) {
    const home = newHome()
    const keys = randomKeys({ hasOwnVrfSecret })
    writeKeys(home, keys)
    assert.deepEqual(readKeys(home), keys)
    const paths = homePaths(home)
    assert.equal(existsSync(paths.vrfSeed), hasOwnVrfSecret)
    assert.equal(statSync(paths.votingSeed).mode & 0o777, 0o600)
    assert.equal(statSync(paths.nodeSeed).mode & 0o777, 0o600)
    assert.equal(statSync(paths.keys).mode & 0o777, 0o700)
    assert.deepEqual(exposedKeyFiles(home), [])
  }
})

test('keys are never overwritten', () => {
  const home = newHome()
  writeKeys(home, randomKeys())
  const before = readFileSync(homePaths(home).votingSeed, 'utf8')
  assert.throws(() => writeKeys(home, randomKeys()), { code: 'exists' })
  assert.equal(readFileSync(homePaths(home).votingSeed, 'utf8'), before)
})

test('a missing or damaged key file is named', () => {
  const home = newHome()
  assert.throws(() => readKeys(home), { code: 'missing' })
  writeKeys(home, randomKeys())
  const { nodeSeed } = homePaths(home)
  writeFileSync(nodeSeed, 'AB'.repeat(32))
  assert.throws(() => readKeys(home), { code: 'wrong-keys', message: new RegExp(`^${nodeSeed}: `) })
})

test('a record proves its keys', () => {
  const keys = randomKeys({ hasOwnVrfSecret: true })
  const record = validatorRecordOf(keys, { name: 'alice', power: 7 })
  const { proofs, ...validator } = record
  assert.equal(Object.keys(proofs).length, 3)
  assert.deepEqual(checkValidatorRecord(JSON.stringify(record), 'a.json'), validator)
})

test('a record that was changed, or names a key of somebody else, is refused', () => {
  const keys = randomKeys()
  const other = validatorRecordOf(randomKeys(), { name: 'b', power: 1 })
  const refused = (fields: object, message: RegExp) =>
    assert.throws(() => checkValidatorRecord(changed(keys, fields), 'a.json'), {
      code: 'wrong-record',
      message,
    })
  refused({ power: 2 }, /^a\.json: proofs\.votingKey does not fit/)
  refused({ name: 'c' }, /proofs\.votingKey does not fit/)
  refused({ votingKey: other.votingKey }, /proofs\.votingKey does not fit/)
  refused({ nodeKey: other.nodeKey }, /peerId: not the peer id/)
  refused({ nodeKey: other.nodeKey, peerId: other.peerId }, /proofs\./)
  refused({ vrfKey: other.vrfKey }, /proofs\./)
  refused({ votingKey: '00'.repeat(32) }, /votingKey: not a valid key/)
  refused({ vrfKey: `01${'00'.repeat(31)}` }, /vrfKey: not a valid key/)
})

test('each of the three proofs is needed', () => {
  const keys = randomKeys()
  const { proofs } = validatorRecordOf(keys, { name: 'a', power: 1 })
  const other = validatorRecordOf(randomKeys(), { name: 'a', power: 1 }).proofs
  for (const key of ['votingKey', 'nodeKey', 'vrfKey'] as const) {
    const text = changed(keys, { proofs: { ...proofs, [key]: other[key] } })
    assert.throws(() => checkValidatorRecord(text, 'a'), new RegExp(`proofs\\.${key} does not fit`))
  }
})

test('a record of another form is refused by the name of the field', () => {
  const keys = randomKeys()
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => checkValidatorRecord(text, 'a.json'), { message })
  refused('{', /^a\.json: not JSON/)
  refused('[]', /an object is needed/)
  refused(changed(keys, { extra: 1 }), /unknown field extra/)
  refused(changed(keys, { proofs: {} }), /proofs: votingKey is missing/)
  refused(changed(keys, { power: 0 }), /power: an integer from 1/)
  refused(changed(keys, { power: 4_294_967_296 }), /power: an integer from 1/)
  refused(changed(keys, { name: 'x'.repeat(65) }), /name: a text of at most 64 bytes/)
  refused(changed(keys, { votingKey: 'AA'.repeat(32) }), /votingKey: 64 lower-case hex digits/)
})

test('the last power and name that fit are taken', () => {
  const keys = randomKeys()
  const record = validatorRecordOf(keys, { name: 'x'.repeat(64), power: 4_294_967_295 })
  assert.equal(checkValidatorRecord(JSON.stringify(record), 'a').power, 4_294_967_295)
  assert.throws(() => validatorRecordOf(keys, { name: 'x'.repeat(65), power: 1 }), { code: 'wrong-record' })
})

test('a key that votes and is the node as well is refused', () => {
  const keys = randomKeys()
  const text = JSON.stringify(
    validatorRecordOf({ ...keys, nodeSeed: keys.votingSeed }, { name: 'a', power: 1 }),
  )
  assert.throws(() => checkValidatorRecord(text, 'a'), /the same key/)
})

test('a genesis has the validators of the records in their order', () => {
  const all = [randomKeys(), randomKeys(), randomKeys()]
  const records = all.map((keys, index) => recordFile(keys, `v${index}`))
  const genesis = makeGenesis({ chainId: 'test', records, time })
  assert.deepEqual(
    genesis.validators.map(({ name }) => name),
    ['v0', 'v1', 'v2'],
  )
  for (const [index, keys] of all.entries()) assert.equal(validatorIndexOf(genesis, keys), index)
  assert.equal(validatorIndexOf(genesis, randomKeys()), undefined)
})

test('a validator that is there twice, or shares one key with another, is refused with both files', () => {
  const keys = randomKeys()
  const twice = [recordFile(keys, 'a'), recordFile(keys, 'b')]
  assert.throws(() => makeGenesis({ chainId: 'test', records: twice, time }), {
    code: 'wrong-record',
    message: 'b.json: has the same votingKey as a.json; each validator needs its own',
  })
  const sameNode = [recordFile(keys, 'a'), recordFile({ ...randomKeys(), nodeSeed: keys.nodeSeed }, 'b')]
  assert.throws(() => makeGenesis({ chainId: 'test', records: sameNode, time }), /same nodeKey as a\.json/)
  const sameVrf = [recordFile(keys, 'a'), recordFile({ ...randomKeys(), vrfSeed: keys.vrfSeed }, 'b')]
  assert.throws(() => makeGenesis({ chainId: 'test', records: sameVrf, time }), /same vrfKey as a\.json/)
})

test('what the rules of genesis refuse is refused with the field', () => {
  const records = [recordFile(randomKeys(), 'a')]
  assert.throws(() => makeGenesis({ chainId: 'Test', records, time }), {
    code: 'wrong-genesis',
    message: /chainId/,
  })
  assert.throws(() => makeGenesis({ chainId: 'test', records: [], time }), /validators/)
  assert.throws(() => readGenesisText('{}', 'g.json'), { code: 'wrong-genesis', message: /^g\.json: / })
})

test('a home has its keys, its genesis and a config, and tells whether it is a validator', () => {
  const [home, follower] = [newHome(), newHome()]
  const keys = randomKeys()
  const genesis = makeGenesis({ chainId: 'test', records: [recordFile(keys, 'a')], time })
  writeKeys(home, keys)
  assert.equal(makeHome({ home, genesis, config: {} }).validatorIndex, 0)
  assert.deepEqual(readIdentity(home), { genesis, keys, validatorIndex: 0 })
  makeHome({ home: follower, genesis, config: { bootstrap: [] } })
  assert.equal(readIdentity(follower).validatorIndex, undefined)
})

test('a home is not made over another', () => {
  const home = newHome()
  const genesis = makeGenesis({ chainId: 'test', records: [recordFile(randomKeys(), 'a')], time })
  makeHome({ home, genesis, config: {} })
  assert.throws(() => makeHome({ home, genesis, config: {} }), { code: 'exists' })
})

test('a home whose keys are only some of a validator is refused', () => {
  const keys = randomKeys()
  const genesis = makeGenesis({ chainId: 'test', records: [recordFile(keys, 'a')], time })
  const wrong = { ...randomKeys(), votingSeed: keys.votingSeed }
  assert.throws(() => validatorIndexOf(genesis, wrong), {
    code: 'wrong-keys',
    message: /another vrfKey for validator 0/,
  })
})
