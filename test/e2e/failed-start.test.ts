// A node whose disk fails, or that finds a broken invariant, while it still starts.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../src/node/config.ts'
import { createLogger } from '../../src/node/log.ts'
import { startNode } from '../../src/node/node.ts'
import { Replica } from '../../src/node/replica.ts'
import { makeTestnet } from '../../src/node/testnet.ts'
import { freePorts } from '../support/local-network.ts'

for (const [moment, failAfterStart] of [
  ['while its replica starts', false],
  ['while its network starts', true],
] as const) {
  test(`a node that fails ${moment} says so, and leaves nothing running`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'diseq-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const baseHttpPort = await freePorts(2)
    const baseP2pPort = baseHttpPort + 1
    const testnet = makeTestnet(
      join(folder, 'net'),
      { chain: 'test', faultModel: 'byzantine', validators: 1, baseHttpPort, baseP2pPort },
      Date.now(),
    )
    const [{ home, http }] = testnet.nodes as [(typeof testnet.nodes)[number]]
    const failure = new Error('the disk is gone')
    const { open } = Replica
    t.mock.method(Replica, 'open', async (options: Parameters<typeof open>[0]) => {
      const replica = await open.call(Replica, options)
      const start = replica.start.bind(replica)
      replica.start = async () => {
        if (failAfterStart) await start()
        options.onFatal(failure)
        // As one whose read never comes back.
        if (!failAfterStart) await new Promise(() => {})
      }
      return replica
    })
    const config = loadConfig({ home, flags: { logLevel: 'silent' }, env: {} })
    await assert.rejects(startNode({ home, config, log: createLogger(config) }), failure)
    await assert.rejects(fetch(`http://${http.host}:${http.port}/v1/status`))
  })
}
