// What a proof proves, in words: what, by whom, at what height and time.
import type { FinalBlockHeader, Proven, Trust } from '../proofs/index.ts'
import { formatData, formatText, formatTime, plural, table } from './format.ts'

/** Messages listed of a namespace; all of them with `--json`. */
const listedMax = 20

/** Lines for people. */
export function verdictLines(proven: Proven, trust: Trust): string[] {
  switch (proven.kind) {
    case 'finality': {
      const { id, message, index, block, trie } = proven
      const place = `message ${index} of ${block.header.messageCount} in block ${block.header.height}`
      const rows: [string, string][] = [
        ['proven', `the message is final: ${place}`],
        ['message', id],
        ['data', formatData(message.data)],
      ]
      if (message.namespace !== undefined) rows.push(['namespace', formatText(message.namespace)])
      rows.push(...blockRows(block, trust))
      if (trie !== undefined)
        rows.push(['trie', `its data is in it after block ${trie.block.header.stateHeight}`])
      return [table(rows)]
    }
    case 'namespace': {
      const messages = proven.blocks.flatMap((block) =>
        block.messages.map((message) => ({ ...message, height: block.header.height })),
      )
      const from = proven.blocks[0]?.header.height ?? 0
      const to = proven.block.header.height
      const where = from === to ? `block ${to}` : `blocks ${from} to ${to}`
      const what = messages.length === 0 ? 'nothing' : `${plural(messages.length, 'message')}, none missing`
      const rows: [string, string][] = [
        ['proven', `${where}: ${what} in this namespace`],
        ['namespace', formatText(proven.namespace)],
        ...blockRows(proven.block, trust),
      ]
      const listed = messages
        .slice(0, listedMax)
        .map(({ height, index, id, message }) => `  ${height}/${index}  ${id}  ${formatData(message.data)}`)
      const rest = messages.length - listed.length
      return [table(rows), ...listed, ...(rest > 0 ? [`  and ${rest} more (--json lists all)`] : [])]
    }
    case 'trie': {
      const { key, data, block } = proven
      const rows: [string, string][] = [
        [
          'proven',
          `the key is ${data === undefined ? 'not ' : ''}in the trie after block ${block.header.stateHeight}`,
        ],
        ['key', key],
      ]
      if (data !== undefined) rows.push(['data', formatData(data)])
      return [table([...rows, ...blockRows(block, trust)])]
    }
    case 'headers': {
      const from = proven.headers[0]?.header.height ?? 0
      const what = `blocks ${from} to ${proven.block.header.height} are final, each after the one before`
      return [table([['proven', what], ...blockRows(proven.block, trust)])]
    }
    case 'receipt': {
      const { node, validator, ids, time, finalHeight } = proven
      const whose = validator === undefined ? '' : ` (of ${nameOf(validator, trust)})`
      return [
        table([
          ['proven', `the node has taken in ${plural(ids.length, 'message')}; that says nothing of finality`],
          ['node', `${node}${whose}`],
          ['at', `${formatTime(time)}, by its clock, when block ${finalHeight} was final for it`],
        ]),
        ...ids.slice(0, listedMax).map((id) => `  ${id}`),
      ]
    }
    case 'evidence': {
      const { validator, height, conflict } = proven
      return [
        table([
          ['proven', `${nameOf(validator, trust)} signed what no honest validator signs`],
          ['at height', String(height)],
          ['what', `${conflict.replaceAll('-', ' ')} that contradict each other`],
        ]),
      ]
    }
    case 'fork': {
      const { first, second, signersOfBoth } = proven
      const names = signersOfBoth.map((validator) => nameOf(validator, trust)).join(', ')
      return [
        table([
          ['proven', `two blocks of height ${first.header.height} are final: the network is broken`],
          ['signed both', names === '' ? 'nobody' : names],
          ['first', `${first.id}, final in view ${first.finality.view}`],
          ['second', `${second.id}, final in view ${second.finality.view}`],
        ]),
      ]
    }
  }
}

/** The same for machines; bytes in hex. */
export function verdictJson(proven: Proven): string {
  return JSON.stringify({ ok: true, ...proven }, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  )
}

function blockRows({ id, header, time, finality }: FinalBlockHeader, trust: Trust): [string, string][] {
  const { genesis, thresholds } = trust
  const names = finality.signers.map((validator) => nameOf(validator, trust)).join(', ')
  const { powerTotal, quorum } = thresholds
  return [
    ['chain', `${genesis.chainId} (genesis ${genesis.hash})`],
    ['block', `${header.height}, ${id}`],
    ['time', `${formatTime(time)} (${time})`],
    ['final by', `${names}: power ${finality.power} of ${powerTotal}, a quorum being ${quorum}`],
  ]
}

function nameOf(validator: number, { genesis }: Trust): string {
  const { name = '', power = 0 } = genesis.validators[validator] ?? {}
  return `${name === '' ? `validator ${validator}` : formatText(name)} (${power})`
}
