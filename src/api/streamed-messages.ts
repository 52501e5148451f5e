// `application/x-ndjson`: a message a line, taken in groups while the rest is still being sent, so that memory holds
// one group and the ids. Where a line is refused, those of the groups before stay accepted, and the error lists them.
// Who streams more than blocks take is read more slowly, not turned away halfway.
import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import type { Message, MessageId } from '../types/index.ts'
import { linesOf, parseJson } from './body.ts'
import { type ApiContext, bodyReaderOf } from './context.ts'
import { ApiError, errorOfRefusal, sentenceOfValidation } from './errors.ts'
import { type MessageInput, messageOfInput } from './message-input.ts'
import type { Submission } from './ports.ts'
import { compileSchema } from './validator.ts'

const maxGroupMessages = 1_000
const maxGroupBytes = 1024 * 1024
/** Room in a line for all that is not data. */
const lineOverheadBytes = 1024
/** A pool that is full is tried again after so long. */
const retryMs = 100

const isMessageInput = compileSchema<MessageInput>({ $ref: 'MessageInput#' })

/** Ids in the order of the lines. `ApiError` with the index of the line, and the ids accepted before its group. */
export async function submitLines(
  context: ApiContext,
  request: FastifyRequest<{ Body: unknown; Querystring: { wait?: 'final' } }>,
  { payload, response }: { payload: Readable; response: ServerResponse },
): Promise<readonly MessageId[]> {
  const stream = new MessageStream(context, request.ip, response)
  try {
    await stream.take(payload, bodyReaderOf(context, request as FastifyRequest))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    throw new ApiError(error.code, error.message, { ...error.details, ids: stream.ids })
  }
  if (stream.ids.length === 0) throw new ApiError('invalid-body', 'The body holds no message.')
  return stream.ids
}

class MessageStream {
  readonly ids: MessageId[] = []
  readonly #context: ApiContext
  readonly #address: string
  readonly #response: ServerResponse
  #group: Message[] = []
  #groupBytes = 0
  /** How much longer it may wait for room. */
  #patienceMs: number

  constructor(context: ApiContext, address: string, response: ServerResponse) {
    this.#context = context
    this.#address = address
    this.#response = response
    this.#patienceMs = context.options.streamedPatienceMs
  }

  async take(payload: Readable, reader: ReturnType<typeof bodyReaderOf>): Promise<void> {
    const { options, ports } = this.#context
    const maxLineBytes = Math.ceil(ports.limits().maxMessageBytes / 3) * 4 + lineOverheadBytes
    for await (const line of linesOf(reader.chunks(payload, options.maxStreamedBytes), maxLineBytes)) {
      const index = this.ids.length + this.#group.length
      if (index === options.maxStreamedMessages) {
        throw new ApiError('too-many-messages', `A request takes at most ${index} lines.`, { index })
      }
      this.#group.push(messageOfLine(line, index))
      this.#groupBytes += line.length
      if (this.#group.length < maxGroupMessages && this.#groupBytes < maxGroupBytes) continue
      await this.#submitGroup()
      reader.release()
    }
    await this.#submitGroup()
  }

  async #submitGroup(): Promise<void> {
    const group = this.#group
    if (group.length === 0) return
    const { limiter, options } = this.#context
    limiter?.charge(this.#address, this.#groupBytes, options.now())
    this.#group = []
    this.#groupBytes = 0
    const submission = await this.#submit(group)
    if (submission.kind === 'refused') throw errorOfRefusal(submission, this.ids.length)
    for (const id of submission.ids) this.ids.push(id)
  }

  /** Lines after the first accepted ones wait for room, in line: each attempt costs as much as accepting. */
  async #submit(group: readonly Message[]): Promise<Submission> {
    const { waits, roomLine, budget, options } = this.#context
    const submission = await this.#offer(group)
    const mayWait = this.ids.length > 0 && this.#patienceMs > 0 && !this.#response.destroyed
    // What waits stays in memory: others need some of it meanwhile.
    const isMemoryFree = budget.usedBytes <= options.maxBodyBytesInFlight / 2
    if (!isFull(submission) || !mayWait || !isMemoryFree) return submission
    const sinceMs = options.now()
    const wait = { response: this.#response, timeoutMs: this.#patienceMs }
    const waited = await waits.run(wait, (signal) =>
      roomLine.inTurn(signal, () => this.#offerUntilRoom(group, signal)),
    )
    this.#patienceMs -= options.now() - sinceMs
    return waited ?? submission
  }

  async #offerUntilRoom(group: readonly Message[], signal: AbortSignal): Promise<Submission> {
    for (;;) {
      const submission = await this.#offer(group)
      if (!isFull(submission) || signal.aborted) return submission
      await sleep(retryMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return submission
    }
  }

  #offer(group: readonly Message[]): Promise<Submission> {
    return this.#context.ports.submitMessages(group, { address: this.#address })
  }
}

function isFull(submission: Submission): boolean {
  return submission.kind === 'refused' && submission.code === 'pool-full'
}

function messageOfLine(line: Buffer, index: number): Message {
  const value = parseLine(line, index)
  if (isMessageInput(value)) return messageOfInput(value, index)
  const sentence = sentenceOfValidation(isMessageInput.errors ?? [], value)
  throw new ApiError('invalid-body', `Line ${index + 1} is refused: ${sentence}.`, { index })
}

function parseLine(line: Buffer, index: number): unknown {
  try {
    return parseJson(line, `Line ${index + 1}`)
  } catch (error) {
    if (error instanceof ApiError) throw new ApiError(error.code, error.message, { index })
    throw error
  }
}
