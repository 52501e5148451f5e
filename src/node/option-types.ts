// The types that an option of the config may have: how its value is read from YAML and from text (environment and
// flags), what is refused, and how it is written again. `options.ts` has the table that uses them.
import { isIP } from 'node:net'
import { isMultiaddr, multiaddr } from '@multiformats/multiaddr'

/** Where to listen for HTTP. */
export interface HostPort {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
}

/** The value, or what is needed instead (follows "…: " in an error). */
export type Read<T> = { readonly value: T } | { readonly needed: string }

export interface OptionType<T> {
  /** Its form, for help and documentation: `HOST:PORT`. */
  readonly form: string
  /** From the value of a YAML key; nothing is coerced. */
  fromYaml(value: unknown): Read<T>
  /** From an environment variable or a flag. */
  fromText(text: string): Read<T>
  /** As it stands in YAML. */
  toYaml(value: T): unknown
  readonly isList?: true
}

/** An integer within bounds, both allowed. */
export function integer({ min, max }: { min: number; max: number }): OptionType<number> {
  const needed = `an integer from ${min} to ${max} is needed`
  const check = (value: unknown): Read<number> =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? { value }
      : { needed }
  return {
    form: 'N',
    fromYaml: check,
    fromText: (text) => (/^\d{1,16}$/.test(text) ? check(Number(text)) : { needed }),
    toYaml: (value) => value,
  }
}

export function oneOf<const T extends string>(choices: readonly T[]): OptionType<T> {
  const check = (value: unknown): Read<T> => {
    const choice = choices.find((known) => known === value)
    return choice === undefined ? { needed: `one of ${choices.join(', ')} is needed` } : { value: choice }
  }
  return { form: choices.join('|'), fromYaml: check, fromText: check, toYaml: (value) => value }
}

/** HOST:PORT; port 0 lets the system choose. IPv6 addresses stand in brackets. */
export const hostPort: OptionType<HostPort> = {
  form: 'HOST:PORT',
  fromYaml: (value) => (typeof value === 'string' ? readHostPort(value) : readHostPort('')),
  fromText: readHostPort,
  toYaml: formatHostPort,
}

/** HOST:PORT, or `off`. */
export const hostPortOrOff: OptionType<HostPort | undefined> = {
  form: 'HOST:PORT|off',
  // YAML 1.1 read `off` as false; both are taken, so that neither reader is surprised.
  fromYaml: (value) => (value === false ? { value: undefined } : readHostPortOrOff(value)),
  fromText: readHostPortOrOff,
  toYaml: (value) => (value === undefined ? 'off' : formatHostPort(value)),
}

/** Addresses in libp2p's form. */
export const multiaddrs = textList({
  form: 'MULTIADDR',
  needed: 'an address such as /ip4/0.0.0.0/tcp/9080 is needed',
  isValid: isMultiaddrText,
})

/** Addresses of peers: each ends in the peer's id, so that no one else can answer in its place. */
export const peerAddresses = textList({
  form: 'MULTIADDR',
  needed: 'an address that ends in the peer id is needed, such as /ip4/192.0.2.1/tcp/9080/p2p/12D3KooW…',
  isValid: (text) => isMultiaddrText(text) && /\/p2p\/[1-9A-HJ-NP-Za-km-z]{46,59}$/.test(text),
})

/** Origins of web pages that may use the API; `*` for all. */
export const origins = textList({
  form: 'ORIGIN',
  needed: 'an origin such as https://example.org, or * for all, is needed',
  isValid: (text) => text === '*' || (URL.canParse(text) && new URL(text).origin === text),
})

/** IP addresses, or ranges of them. */
export const proxies = textList({
  form: 'IP|CIDR',
  needed: 'an IP address or a range such as 10.0.0.0/8 is needed',
  isValid: isAddressOrRange,
})

/** HOST:PORT as people write it. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function readHostPort(text: string): Read<HostPort> {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || port > 65_535) return { needed: 'HOST:PORT, such as 127.0.0.1:8080, is needed' }
  return { value: { host, port } }
}

function readHostPortOrOff(value: unknown): Read<HostPort | undefined> {
  if (value === 'off') return { value: undefined }
  const read = readHostPort(typeof value === 'string' ? value : '')
  return 'needed' in read ? { needed: 'HOST:PORT, such as 127.0.0.1:8090, or off is needed' } : read
}

function isAddressOrRange(text: string): boolean {
  const [address = '', prefix = '0', ...rest] = text.split('/')
  const prefixMax = isIP(address) === 6 ? 128 : 32
  return rest.length === 0 && isIP(address) !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= prefixMax
}

function isMultiaddrText(text: string): boolean {
  try {
    return text.startsWith('/') && isMultiaddr(multiaddr(text))
  } catch {
    // The library's only answer to what is no address.
    return false
  }
}

/** A YAML list of texts; in environment variables they are separated by commas. */
function textList(rule: {
  form: string
  needed: string
  isValid: (text: string) => boolean
}): OptionType<readonly string[]> {
  const check = (texts: readonly unknown[]): Read<readonly string[]> => {
    const wrong = texts.find((text) => typeof text !== 'string' || !rule.isValid(text))
    return wrong === undefined
      ? { value: texts as readonly string[] }
      : { needed: `${rule.needed}, not ${JSON.stringify(wrong)}` }
  }
  return {
    form: rule.form,
    fromYaml: (value) => (Array.isArray(value) ? check(value) : { needed: 'a list is needed' }),
    fromText: (text) => check(text === '' ? [] : text.split(',').map((part) => part.trim())),
    toYaml: (value) => value,
    isList: true,
  }
}
