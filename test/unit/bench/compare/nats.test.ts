import assert from 'node:assert/strict'
import { test } from 'node:test'
import { natsConfig, submitResultOf } from '../../../../bench/compare/nats.ts'
import { type NatsEvent, NatsReader } from '../../../../bench/compare/nats-connection.ts'

const payload = 'two\r\nlines'
const headers = 'NATS/1.0 503\r\n\r\n'
const said = [
  'INFO {"server_id":"a"}\r\n',
  `MSG bench 1 ${payload.length}\r\n${payload}\r\n`,
  `MSG bench 2 reply.to 0\r\n\r\n`,
  'PING\r\n',
  `HMSG inbox.7 1 ${headers.length} ${headers.length + 2}\r\n${headers}ok\r\n`,
  "-ERR 'Stale Connection'\r\n",
].join('')

function eventsOf(text: string, pieceBytes: number): NatsEvent[] {
  const reader = new NatsReader()
  const events: NatsEvent[] = []
  for (let at = 0; at < text.length; at += pieceBytes)
    events.push(...reader.take(Buffer.from(text.slice(at, at + pieceBytes))))
  return events
}

for (const pieceBytes of [1, 5, 10_000]) {
  test(`reads what a server says in pieces of ${pieceBytes} bytes`, () => {
    const events = eventsOf(said, pieceBytes)
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['other', 'message', 'message', 'ping', 'message', 'error'],
    )
    const messages = events.flatMap((event) => (event.kind === 'message' ? [event.message] : []))
    assert.deepEqual(
      messages.map((message) => ({ ...message, payload: message.payload.toString() })),
      [
        { subject: 'bench', sid: '1', headers: '', payload },
        { subject: 'bench', sid: '2', headers: '', payload: '' },
        { subject: 'inbox.7', sid: '1', headers, payload: 'ok' },
      ],
    )
  })
}

test('what no server says is an error', () => {
  assert.throws(() => eventsOf('HTTP/1.1 400 Bad Request\r\n', 1_000), /HTTP/)
  assert.throws(() => eventsOf('MSG bench 1 many\r\n', 1_000), /no sizes/)
})

test('a stream without room refuses, one that is wrong fails', () => {
  const ack = Buffer.from('{"stream":"BENCH","seq":1}')
  const busy = Buffer.from('{"error":{"code":503,"description":"no room"}}')
  const wrong = Buffer.from('{"error":{"code":400,"description":"wrong"}}')
  assert.deepEqual(submitResultOf([ack, ack]), { kind: 'accepted' })
  assert.equal(submitResultOf([busy]).kind, 'refused')
  const mixed = submitResultOf([ack, busy])
  assert.ok(mixed.kind === 'partly')
  assert.deepEqual([...mixed.refused], [1])
  assert.throws(() => submitResultOf([ack, wrong]), /wrong/)
})

test('every server syncs each write, stores in its own folder and stays on loopback', () => {
  const config = natsConfig({
    name: 'server1',
    port: 1,
    clusterPort: 4,
    clusterPorts: [3, 4, 5],
    folder: '/a "b"',
  })
  assert.match(config, /^ {2}sync_interval: always$/m)
  assert.match(config, /^ {2}store_dir: "\/a \\"b\\""$/m)
  assert.match(config, /^listen: 127\.0\.0\.1:1$/m)
  assert.match(config, /^ {2}listen: 127\.0\.0\.1:4$/m)
  assert.match(
    config,
    /routes: \["nats:\/\/127\.0\.0\.1:3","nats:\/\/127\.0\.0\.1:4","nats:\/\/127\.0\.0\.1:5"\]/,
  )
})
