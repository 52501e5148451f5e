// A rollup whose whole state is one number. It trusts no node: a light client proves that it has every message of its
// namespace, in order, and none besides; so everyone who runs this has the same number after the same block.
//
//   node examples/counter-rollup.ts --genesis .diseq/genesis.json --node http://127.0.0.1:8080
//   npx diseq send --namespace counter "add 5"
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { LightClient, trustGenesis } from 'diseq/light'

const { values } = parseArgs({
  options: {
    genesis: { type: 'string', default: '.diseq/genesis.json' },
    node: { type: 'string', multiple: true, default: ['http://127.0.0.1:8080'] },
    namespace: { type: 'string', default: 'counter' },
    /** Ends after this block. */
    until: { type: 'string' },
  },
})

interface State {
  readonly counter: number
  /** Transactions that meant something. */
  readonly applied: number
}

/** What one transaction makes of the state: `add N` or `set N`, else nothing. A function of the two alone: whoever
 *  replays the namespace comes to the same. */
function apply(state: State, transaction: Uint8Array): State {
  const [, verb, digits] = /^(add|set) (-?\d{1,15})$/.exec(new TextDecoder().decode(transaction)) ?? []
  if (verb === undefined) return state
  const counter = verb === 'add' ? state.counter + Number(digits) : Number(digits)
  return Number.isSafeInteger(counter) ? { counter, applied: state.applied + 1 } : state
}

const trust = trustGenesis(readFileSync(values.genesis, 'utf8'))
if (!trust.ok) throw new Error(`${values.genesis}: ${trust.reason}`)
const light = new LightClient({ trust: trust.value, nodes: values.node, pollMs: 200 })
const until = values.until === undefined ? Number.POSITIVE_INFINITY : Number(values.until)

let state: State = { counter: 0, applied: 0 }
let height = 0
for await (const { header, messages } of light.followNamespace(values.namespace)) {
  for (const { message } of messages) state = apply(state, message.data)
  height = header.height
  if (messages.length > 0) console.log(`block ${header.height}: counter ${state.counter}`)
  if (height >= until) break
}
console.log(JSON.stringify({ height, ...state }))
