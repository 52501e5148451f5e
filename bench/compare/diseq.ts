// DISEQ's own turn: four validators, as `diseq bench --network local` starts them.
import { DiseqTarget } from '../../src/bench/index.ts'
import { BenchNetwork } from '../../src/cli/bench-network.ts'
import type { Contender, Form } from './contender.ts'

const validators = 4

export function diseqContender(form: Form): Contender {
  return {
    name: 'diseq',
    description: `${validators} validators, byzantine mode, defaults of a local network; messages by HTTP, final blocks from the stream of the last node`,
    start: async () => {
      const network = await BenchNetwork.start({ validators, profileTo: undefined, env: process.env })
      const { addresses: nodes, processes } = network
      const target = new DiseqTarget({ nodes, reader: nodes.at(-1) ?? '', form, processes })
      return { target, stop: () => network.stop() }
    },
  }
}
