// A layer of libp2p's connections with changes on either side of it.
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'

type CreateEncrypter<Components> = (components: Components) => ConnectionEncrypter

/** The same encrypter over connections, and giving connections, that these functions have had in hand.
 *  @param raw given what it encrypts, before the handshake.
 *  @param secured given what it makes of that. */
export function withStreams<Components>(
  create: CreateEncrypter<Components>,
  {
    raw,
    secured,
  }: {
    readonly raw: <Stream extends MessageStream>(stream: Stream) => Stream
    readonly secured: (stream: MessageStream) => MessageStream
  },
): CreateEncrypter<Components> {
  return (components) => {
    const encrypter = create(components)
    const secureInbound = encrypter.secureInbound.bind(encrypter)
    const secureOutbound = encrypter.secureOutbound.bind(encrypter)
    const handedOn = async (securing: ReturnType<typeof secureInbound>) => {
      const made = await securing
      return { ...made, connection: secured(made.connection) }
    }
    encrypter.secureInbound = (stream, options) => handedOn(secureInbound(raw(stream), options))
    encrypter.secureOutbound = (stream, options) => handedOn(secureOutbound(raw(stream), options))
    return encrypter
  }
}
