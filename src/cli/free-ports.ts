// Whether the ports of a network are free, asked before its nodes are started: one sentence instead of one crash a node.
import { createServer } from 'node:net'
import { Failure } from './errors.ts'

/** @throws Failure naming the first port that another program has. */
export async function requireFreePorts(ports: readonly number[], host: string): Promise<void> {
  for (const port of ports) {
    if (await isFree(port, host)) continue
    throw new Failure(
      `port ${port} of ${host} is taken, perhaps by a network that still runs; stop that, or use another --output with other --base-http-port and --base-p2p-port`,
    )
  }
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
