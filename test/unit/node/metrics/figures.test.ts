import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createState } from '../../../../src/consensus/index.ts'
import { networkFigures } from '../../../../src/node/metrics/network-figures.ts'
import { NodeMetrics, sizeOfFolder } from '../../../../src/node/metrics/node-metrics.ts'
import { timedFile, timedStore } from '../../../../src/node/metrics/timed-storage.ts'
import { thresholdsOf } from '../../../../src/quorum/index.ts'
import { MemoryStore } from '../../../../src/storage/index.ts'

test('names of the network’s counters become families and labels', () => {
  const figures = networkFigures({
    frames_in_vote: 1,
    'frames_out_pool-commitment': 2,
    frames_in_again: 3,
    rejected_bad_signature: 4,
    dropped_not_started: 5,
    bytes_in: 6,
    gossip_bytes_out: 7,
    requests_failed_view: 8,
    requests_invalid_view: 10,
    requests_unanswered_view: 11,
    replies_invalid_view: 12,
    peers_cut_off: 9,
  }).map(({ family, labels, value }) => [family.slice('diseq_network_'.length), labels, value])
  assert.deepEqual(figures, [
    ['frames_total', { direction: 'in', kind: 'vote' }, 1],
    ['frames_total', { direction: 'out', kind: 'pool-commitment' }, 2],
    ['events_total', { event: 'frames_in_again' }, 3],
    ['frames_refused_total', { verdict: 'rejected', reason: 'bad_signature' }, 4],
    ['frames_dropped_total', { reason: 'not_started' }, 5],
    ['bytes_total', { way: 'all_in' }, 6],
    ['bytes_total', { way: 'gossip_out' }, 7],
    ['requests_total', { event: 'failed', protocol: 'view' }, 8],
    ['requests_total', { event: 'invalid', protocol: 'view' }, 10],
    ['requests_total', { event: 'unanswered', protocol: 'view' }, 11],
    ['requests_total', { event: 'invalid_reply', protocol: 'view' }, 12],
    ['events_total', { event: 'peers_cut_off' }, 9],
  ])
})

test('counts timers that run out in their view, not those that are late', async () => {
  const metrics = new NodeMetrics()
  const powers = [1, 1, 1, 1]
  const core = createState({ powers, thresholds: thresholdsOf(powers, 'byzantine') })
  core.context = { ...core.context, height: 7 }
  core.view = 2
  const tell = (kind: 'view' | 'finalize', height: number, view: number) =>
    metrics.onStep({ kind: 'timer', timer: { kind, height, view } }, [], core)
  tell('view', 7, 2)
  tell('view', 7, 1)
  tell('view', 6, 2)
  tell('finalize', 7, 2)
  const text = await metrics.text()
  assert.match(text, /^diseq_consensus_timeouts_total\{timer="view"\} 1$/m)
  assert.match(text, /^diseq_consensus_timeouts_total\{timer="finalize"\} 1$/m)
})

test('counts what this validator signs, by kind', async () => {
  const metrics = new NodeMetrics()
  const powers = [1]
  const core = createState({ powers, thresholds: thresholdsOf(powers, 'byzantine') })
  const body = { kind: 'nullify', height: 1, view: 0 } as const
  metrics.onStep({ kind: 'pool', hasWork: true }, [{ kind: 'sign-vote', body }], core)
  assert.match(await metrics.text(), /^diseq_consensus_signed_total\{kind="nullify"\} 1$/m)
})

test('a stream’s length is no time of a request', async () => {
  const metrics = new NodeMetrics()
  metrics.onReply({ method: 'GET', route: '/v1/stream', status: 200, seconds: 3_600 })
  metrics.onReply({ method: 'GET', route: '/v1/status', status: 200, seconds: 0.01 })
  const text = await metrics.text()
  assert.match(text, /^diseq_http_requests_total\{method="GET",route="\/v1\/stream",status="200"\} 1$/m)
  assert.doesNotMatch(text, /diseq_http_request_seconds_count\{route="\/v1\/stream"\}/)
  assert.match(text, /^diseq_http_request_seconds_count\{route="\/v1\/status"\} 1$/m)
})

test('storage with a stopwatch does the same, and tells of writes that fail as well', async () => {
  const told: boolean[] = []
  const onWrite = ({ isSynced, ms }: { isSynced: boolean; ms: number }) => {
    assert.ok(ms >= 0)
    told.push(isSynced)
  }
  const key = Uint8Array.of(1)
  const store = timedStore(new MemoryStore(), onWrite)
  await store.write([{ type: 'put', key, value: key }], { sync: true })
  await store.write([], { sync: false })
  assert.deepEqual(store.get(key), key)
  const failing = async () => {
    throw new Error('the disk is full')
  }
  const file = timedFile({ read: async () => undefined, append: failing, replace: failing }, onWrite)
  await assert.rejects(file.append(key), /full/)
  assert.deepEqual(told, [true, false, true])
})

test('the size of the database is that of its files, those of the trie’s pages too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'diseq-size-'))
  await mkdir(join(folder, 'pages'))
  await writeFile(join(folder, 'one'), new Uint8Array(1_000))
  await writeFile(join(folder, 'pages', 'two'), new Uint8Array(200))
  assert.equal(await sizeOfFolder(folder), 1_200)
  await rm(folder, { recursive: true })
  assert.equal(await sizeOfFolder(folder), 0)
})
