// Real transactions of a real chain: all of them final on every node, in one order, each once.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { assertOneSequence, idOf, isSettled, sequenceOf, statusOf } from '../support/chains.ts'
import { childEnvironment, commandFile } from '../support/node-process.ts'
import { type NodeProcess, TestNetwork } from '../support/processes.ts'

const file = new URL('../data/ethereum-mainnet-transactions.hex', import.meta.url)
const lines = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
const ids = lines.map((line) => idOf(Buffer.from(line, 'hex')))

test('1,582 real messages sent to one node are final on all four, in one order, each once; sent again they add nothing', async (t) => {
  const network = await TestNetwork.running(t)
  const [first] = network.nodes
  assert.ok(first)

  await send([first], lines)
  await network.until('all messages are final everywhere', () => isSettled(network.nodes, 1))
  const blocks = await assertOneSequence(network.nodes, ids)
  assert.equal(sequenceOf(blocks).length, lines.length)
  t.diagnostic(`${lines.length} messages in ${blocks.length} blocks`)

  const before = await statusOf(first)
  assert.deepEqual((await send([first], lines)).sort(), ids.toSorted())
  await network.until('nothing is pending', () => isSettled(network.nodes, 1))
  const after = await statusOf(first)
  assert.equal(after.finalHeight, before.finalHeight)
  assert.equal(after.finalBlockId, before.finalBlockId)
  assertNoErrors(t, network)
})

test('the same messages spread over four nodes at once are in one order too', async (t) => {
  const network = await TestNetwork.running(t)
  await Promise.all(
    network.nodes.map((node, at) =>
      send(
        [node],
        lines.filter((_, line) => line % 4 === at),
      ),
    ),
  )
  await network.until('all messages are final everywhere', () => isSettled(network.nodes, 1))
  const blocks = await assertOneSequence(network.nodes, ids)
  assert.equal(sequenceOf(blocks).length, lines.length)
  assertNoErrors(t, network)
})

/** As a person does: `diseq send --hex -`. Returns the ids that it printed. */
function send(nodes: readonly NodeProcess[], messages: readonly string[]): Promise<string[]> {
  const to = nodes.flatMap(({ url }) => ['--node', url])
  const child = spawn(process.execPath, [commandFile, 'send', '--hex', ...to, '-'], { env: childEnvironment })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk
  })
  child.stdin.end(`${messages.join('\n')}\n`)
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      if (code === 0) resolve(output.split('\n').filter((line) => line !== ''))
      else reject(new Error(`diseq send: exit code ${code}: ${errors}`))
    })
  })
}

/** A machine that is busy with other things may give reason to warn; nothing gives reason for errors. */
function assertNoErrors(t: TestContext, network: TestNetwork): void {
  const troubles = network.nodes.flatMap((node) => node.troubles.filter((line) => !line.startsWith('---')))
  for (const line of troubles) t.diagnostic(line)
  assert.deepEqual(
    troubles.filter((line) => !line.includes('"level":40')),
    [],
  )
}
