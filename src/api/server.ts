// The HTTP server: puts routes, limits and error replies together, listens, and closes without cutting replies off.
// It decides nothing about messages or blocks: that is behind the ports.
import type { AddressInfo } from 'node:net'
import { type FastifyInstance, fastify, LogController } from 'fastify'
import { BodyBudget } from './body.ts'
import { compressReplies } from './compression.ts'
import type { ApiContext } from './context.ts'
import { allowOrigins } from './cors.ts'
import { RequestCounters, type RequestCounts } from './counters.ts'
import { describeRoutes } from './description.ts'
import { ApiError, replyToBadConnection, replyWithError } from './errors.ts'
import { KnownPaths, replyNotFound } from './not-found.ts'
import { type ApiOptions, defaultApiOptions, type ReplyTime } from './options.ts'
import type { ApiPorts } from './ports.ts'
import { isLoopback, RateLimiter } from './rate-limit.ts'
import { registerBlockRoutes } from './routes/blocks.ts'
import { registerMessageRoutes, streamedType } from './routes/messages.ts'
import { registerNodeRoutes } from './routes/node.ts'
import { registerOriginalRoutes } from './routes/original.ts'
import { registerProofRoutes } from './routes/proofs.ts'
import { registerDescription, registerHomePage, registerMetrics, registerProbes } from './routes/service.ts'
import { registerSignedRoutes } from './routes/signed.ts'
import { registerStream } from './routes/stream.ts'
import { StreamEvents } from './stream/events.ts'
import { StreamReaders } from './stream/readers.ts'
import { compileSchema } from './validator.ts'
import { FinalityWaiters, WaitingLine, Waits } from './waiting.ts'

/** How often connections are looked at for timeouts of headers and requests. */
const connectionsCheckMs = 5_000

/** Of a request line and headers, as Node has it: no path is longer, so routes themselves say what is wrong with theirs. */
const maxHeaderBytes = 16 * 1024
/** In counts, for what reached no route. */
const unmatched = 'unmatched'

/** An HTTP server; `listen` starts it. */
export class ApiServer {
  /** For tests (`inject`), and for further routes before `listen`. */
  readonly app: FastifyInstance
  readonly #context: ApiContext
  readonly #counters: RequestCounters

  constructor(app: FastifyInstance, context: ApiContext, counters: RequestCounters) {
    this.app = app
    this.#context = context
    this.#counters = counters
  }

  /** Port 0: a free one. Resolves with the address once requests are taken; rejects where it is in use. */
  async listen(at: {
    readonly host: string
    readonly port: number
  }): Promise<{ host: string; port: number }> {
    await this.app.listen({ ...at, listenTextResolver: (address) => `HTTP on ${address}` })
    const { address, port } = this.app.server.address() as AddressInfo
    return { host: address, port }
  }

  /** Takes no more requests, ends waits with what is true then, lets replies finish for the time of grace, and cuts
   *  off the rest. */
  async close(): Promise<void> {
    const cut = setTimeout(() => this.app.server.closeAllConnections(), this.#context.options.closeGraceMs)
    try {
      await this.app.close()
    } finally {
      clearTimeout(cut)
    }
  }

  requestCounts(): RequestCounts {
    return this.#counters.counts()
  }

  /** Clients of the stream: how many there are, how many were let go for taking nothing, and what all of them hold. */
  streamFigures(): { readonly readers: number; readonly letGo: number; readonly bufferedBytes: number } {
    const { count, letGoCount, bufferedBytes } = this.#context.readers
    return { readers: count, letGo: letGoCount, bufferedBytes }
  }
}

/** A server for `ports`, not yet listening. */
export function createServer(ports: ApiPorts, overrides: Partial<ApiOptions> = {}): ApiServer {
  const options = { ...defaultApiOptions, ...overrides }
  const context: ApiContext = {
    ports,
    options,
    budget: new BodyBudget(options.maxBodyBytesInFlight),
    waits: new Waits(options.maxWaiting),
    roomLine: new WaitingLine(),
    finality: new FinalityWaiters(ports, options.maxWaitedMessages),
    readers: streamReaders(ports, options),
    limiter: options.rateLimit === false ? undefined : new RateLimiter(options.rateLimit),
  }
  const counters = new RequestCounters()
  const count = (reply: ReplyTime): void => {
    const { method, route, status, seconds } = reply
    counters.count(method, route === unmatched ? undefined : route, status)
    options.onReply({ method, route, status, seconds })
  }
  const app = fastifyOf(options, count)
  const paths = new KnownPaths()
  paths.watch(app)
  describeRoutes(app, options.version)
  allowOrigins(app, options.corsOrigins)
  limitRate(app, context)
  // Before fastify reads on: it refuses some bodies and methods (QUERY) in its own way, route or no route.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) replyNotFound(paths, request, reply)
    else done()
  })
  app.setErrorHandler(replyWithError)
  app.setNotFoundHandler((request, reply) => replyNotFound(paths, request, reply))
  app.addHook('onResponse', (request, reply, done) => {
    request.bodyReader?.release()
    const { method } = request
    const seconds = reply.elapsedTime / 1000
    count({ method, route: request.routeOptions.url ?? unmatched, status: reply.statusCode, seconds })
    done()
  })
  app.addHook('onReady', async () => {
    context.finality.start()
    context.readers.start()
  })
  app.addHook('preClose', async () => {
    context.waits.close()
    context.readers.stop()
  })
  app.addHook('onClose', async () => context.finality.stop())
  registerRoutes(app, context)
  return new ApiServer(app, context, counters)
}

function streamReaders(ports: ApiPorts, options: ApiOptions): StreamReaders {
  const source = {
    events: new StreamEvents((height) => ports.block(height)),
    tipHeight: () => ports.tipHeight(),
    onFinalBlock: (listener: () => void) => ports.onFinalBlock(listener),
    now: options.now,
  }
  return new StreamReaders(source, {
    maxReaders: options.maxStreamReaders,
    readerBufferBytes: options.streamReaderBufferBytes,
    maxBufferedBytes: options.maxStreamBufferedBytes,
    stallTimeoutMs: options.streamStallTimeoutMs,
    heartbeatMs: options.streamHeartbeatMs,
  })
}

/** @param count told of replies that none of our hooks sees, since no request came of what was sent. */
function fastifyOf(options: ApiOptions, count: (reply: ReplyTime) => void): FastifyInstance {
  const { logger } = options
  const app = fastify({
    ...(logger === undefined ? {} : { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: options.trustProxy,
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    connectionTimeout: options.idleSocketTimeoutMs,
    bodyLimit: options.maxBodyBytes,
    // What comes while it closes is answered like all else: fastify's own 503 is in no description of ours.
    return503OnClosing: false,
    routerOptions: { maxParamLength: maxHeaderBytes },
    http: { headersTimeout: options.headersTimeoutMs, connectionsCheckingInterval: connectionsCheckMs },
    clientErrorHandler: (error, socket) => {
      const status = replyToBadConnection(error, socket)
      if (status !== undefined) count({ method: 'none', route: unmatched, status, seconds: 0 })
    },
    frameworkErrors: (error, request, reply) => {
      replyWithError(error, request, reply)
      count({ method: request.method, route: unmatched, status: reply.statusCode, seconds: 0 })
    },
  })
  app.server.maxConnections = options.maxConnections
  // Scopes say what they read; elsewhere a body is not looked at.
  app.removeAllContentTypeParsers()
  app.decorateRequest('bodyReader', null)
  // Lines of a stream are checked one by one, as they come.
  app.setValidatorCompiler(({ schema, contentType }: { schema: object; contentType?: string }) =>
    contentType === streamedType ? () => true : compileSchema(schema),
  )
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  return app
}

function limitRate(app: FastifyInstance, { limiter, options }: ApiContext): void {
  if (limiter === undefined) return
  app.addHook('onRequest', (request, _reply, done) => {
    const address = request.ip
    if (isLoopback(address)) return done()
    const retryAfterSeconds = limiter.take(address, options.now())
    if (retryAfterSeconds === 0) return done()
    done(new ApiError('rate-limited', 'Too many requests from this address.', { retryAfterSeconds }))
  })
}

/** Each group in a scope of its own, as groups read bodies in different ways. */
function registerRoutes(app: FastifyInstance, context: ApiContext): void {
  const { surface } = context.options
  const add = (register: (scope: FastifyInstance, context: ApiContext) => void): void => {
    app.register(async (scope) => register(scope, context))
  }
  add(registerOriginalRoutes)
  if (surface !== 'public') add(registerSignedRoutes)
  add(registerProbes)
  add(registerDescription)
  if (surface === 'internal') return
  add(registerMetrics)
  add(registerHomePage)
  add((scope) => {
    compressReplies(scope)
    scope.addHook('onRequest', (_request, reply, done) => {
      reply.header('cache-control', 'no-store')
      done()
    })
    registerMessageRoutes(scope, context)
    registerBlockRoutes(scope, context)
    registerProofRoutes(scope, context)
    registerNodeRoutes(scope, context)
    registerStream(scope, context)
  })
}
