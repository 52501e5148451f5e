// What can go wrong between a client and a node. Branch on `code`; the message is one sentence for people.

export type ClientErrorCode =
  /** No answer: nothing listens there, or the connection broke. */
  | 'unreachable'
  /** No answer in time. */
  | 'timeout'
  /** The node refused the request, and will again (4xx). */
  | 'refused'
  /** The node was full or not ready for as long as was waited (503, 429). */
  | 'busy'
  /** The node failed (5xx). */
  | 'failed'
  /** An answer that is not what the API describes: probably no node of this software. */
  | 'bad-reply'
  /** A proof that does not hold: the node lies, or is of another network. */
  | 'bad-proof'

export class ClientError extends Error {
  readonly code: ClientErrorCode
  /** The node's address. */
  readonly node: string
  /** HTTP status, where there was a reply. */
  readonly status: number | undefined

  constructor(
    code: ClientErrorCode,
    message: string,
    { node, status, cause }: { node: string; status?: number; cause?: unknown },
  ) {
    super(message, { cause })
    this.name = 'ClientError'
    this.code = code
    this.node = node
    this.status = status
  }
}
