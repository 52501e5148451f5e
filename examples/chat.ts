// A chat over a network: everyone sees the same lines in the same order, whichever node they talk to.
//
//   node examples/chat.ts --node http://127.0.0.1:8080 --room lobby --name ann
//
// Lines of standard input are said; what is final is printed. A room is a namespace.
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { Client } from 'diseq/client'

const { values } = parseArgs({
  options: {
    node: { type: 'string', multiple: true, default: ['http://127.0.0.1:8080'] },
    room: { type: 'string', default: 'lobby' },
    name: { type: 'string', default: 'somebody' },
    /** The first block shown; absent: what becomes final from now on. */
    from: { type: 'string' },
  },
})
const { room, name } = values
const namespace = `chat/${room}`
const client = new Client({ nodes: values.node })

// Equal messages are one message: the time makes a line that is said again another one.
let lastSecond = 0
function nextTimestamp(): number {
  lastSecond = Math.max(lastSecond + 1, Math.floor(Date.now() / 1_000))
  return lastSecond
}

async function say(): Promise<void> {
  for await (const text of createInterface({ input: process.stdin })) {
    const data = new TextEncoder().encode(JSON.stringify({ name, text }))
    await client.send([{ namespace, data, timestamp: nextTimestamp() }])
  }
}

/** Anyone may write anything into a namespace: what is no line of a chat is passed over. */
function lineOf(data: Uint8Array): string | undefined {
  try {
    const line: unknown = JSON.parse(new TextDecoder().decode(data))
    if (typeof line !== 'object' || line === null) return undefined
    const { name, text } = line as { name?: unknown; text?: unknown }
    return typeof name === 'string' && typeof text === 'string' ? `${name}: ${text}` : undefined
  } catch {
    // Not JSON.
    return undefined
  }
}

async function listen(): Promise<void> {
  const from = values.from === undefined ? {} : { from: Number(values.from) }
  for await (const { height, messages } of client.stream({ namespace, ...from })) {
    for (const { index, data } of messages) {
      const line = lineOf(data)
      if (line !== undefined) console.log(`${height}/${index} ${line}`)
    }
  }
}

await Promise.all([say(), listen()])
