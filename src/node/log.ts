// The logger of a node process: to standard error, so that standard output holds results only.
import { type Logger, pino, stdSerializers } from 'pino'
import pinoPretty from 'pino-pretty'
import type { NodeConfig } from './options.ts'

const standardError = 2

/** A logger as the config wants it. It writes synchronously: the last lines before a crash are the ones that matter,
 *  and a worker thread would lose them. */
export function createLogger({ logLevel, logFormat }: Pick<NodeConfig, 'logLevel' | 'logFormat'>): Logger {
  const { err } = stdSerializers
  const options = { level: logLevel, base: null, serializers: { err, error: err } }
  const isPretty = logFormat === 'pretty' || (logFormat === 'auto' && process.stderr.isTTY === true)
  if (isPretty) {
    const pretty = pinoPretty({
      destination: standardError,
      sync: true,
      errorLikeObjectKeys: ['err', 'error'],
      colorize: process.stderr.isTTY === true,
      translateTime: 'SYS:HH:MM:ss.l',
    })
    return pino(options, pretty)
  }
  const plain = pino.destination({ dest: standardError, sync: true })
  // Whoever read the log is gone. The node goes on: a lost log line is no reason to stop.
  plain.on('error', () => undefined)
  return pino(options, plain)
}
