// DISEQ's own turn: four validators, as `diseq bench --network local` starts them.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DiseqTarget } from '../../src/bench/index.ts'
import { BenchNetwork } from '../../src/cli/bench-network.ts'
import { Failure } from '../../src/cli/errors.ts'
import type { Contender, Form, JoiningNode } from './contender.ts'
import { jsonFrom } from './peer-processes.ts'

const validators = 4
/** As it is installed: from its sources a node starts a second later. */
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export function diseqContender(form: Form): Contender {
  return {
    name: 'diseq',
    description: `${validators} validators, byzantine mode, defaults of a local network; messages by HTTP, final blocks from the stream of the last node`,
    start: async () => {
      if (!existsSync(main)) throw new Failure('DISEQ is not built: run "npm run build" before')
      const network = await BenchNetwork.start({ validators, profileTo: undefined, env: process.env, main })
      const { addresses: nodes, processes } = network
      const target = new DiseqTarget({ nodes, reader: nodes.at(-1) ?? '', form, processes })
      const syncing = { chain: () => chainOf(nodes[0] ?? ''), join: () => startJoining(network) }
      return { target, syncing, stop: () => network.stop() }
    },
  }
}

async function startJoining(network: BenchNetwork): Promise<JoiningNode> {
  const { address, pid, startedMs } = await network.join()
  return { startedMs, pid, height: () => heightOf(address) }
}

async function heightOf(node: string): Promise<number> {
  const { finalHeight } = (await jsonFrom(`${node}/v1/status`)) as { finalHeight: number }
  return finalHeight
}

async function chainOf(node: string): Promise<{ readonly height: number; readonly messages: number }> {
  const height = await heightOf(node)
  // Counted since its start, and it was started for this.
  const metrics = await (await fetch(`${node}/metrics`)).text()
  const [, count] = /^diseq_chain_messages_total (\d+)$/m.exec(metrics) ?? []
  if (count === undefined) throw new Error(`${node} does not tell how many messages it has`)
  return { height, messages: Number(count) }
}
