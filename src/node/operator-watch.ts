// Shows a running node to its operator's log.
import type { Network } from '../network/index.ts'
import type { Genesis, ValidatorIndex } from '../types/index.ts'
import { systemClock } from './clock.ts'
import { type NodeGlance, OperatorLog } from './operator-log.ts'
import type { Log } from './ports.ts'
import type { Replica } from './replica.ts'

export interface WatchedNode {
  readonly genesis: Genesis
  readonly replica: Replica
  readonly network: Network
  readonly readiness: () => NodeGlance['readiness']
  readonly validator: ValidatorIndex | undefined
  readonly version: string
  readonly httpAddress: string
  readonly log: Log
}

/** Tells who this node is, and from now on what happens to it; the function returned ends that. */
export function watchForOperator(node: WatchedNode): () => void {
  const { genesis, replica, validator, version, httpAddress, log } = node
  const about = { version, chain: genesis.chainId, genesis: genesis.hash, http: httpAddress }
  if (validator === undefined) log.info(about, 'runs, follows the chain and does not vote')
  else log.info({ ...about, validator }, 'runs as a validator')
  const operatorLog = new OperatorLog({
    log,
    clock: systemClock,
    names: genesis.validators.map(({ name }) => name),
    glance: () => glanceAt(node),
  })
  const end = replica.onFinal(({ messageIds, final }) =>
    operatorLog.onFinal({ messageCount: messageIds.length, failedViews: final.finalization.view }),
  )
  operatorLog.start()
  return () => {
    end()
    operatorLog.stop()
  }
}

function glanceAt({ genesis, replica, network, readiness, validator }: WatchedNode): NodeGlance {
  const { core, head, mempool } = replica
  const others = [...genesis.validators.keys()].filter((index) => index !== validator)
  return {
    readiness: readiness(),
    connected: network.peers().flatMap((peer) => peer.validator ?? []),
    finalHeight: head.state.height,
    view: core.view,
    isUnderWay: mempool.held().size > 0 || core.heardOf.size > 0,
    unheard: others.filter((index) => !core.heardOf.has(index)),
  }
}
