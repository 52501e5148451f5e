// `diseq proof`: fetches a proof, for `diseq verify` or anyone else to check.
import type { Command } from 'commander'
import { Client } from '../../client/index.ts'
import { type CommonOptions, type Context, integerOption, newCommand, nodeOption } from '../command.ts'
import { Failure, UsageError } from '../errors.ts'

interface Options extends CommonOptions {
  readonly node: string
  readonly trie?: true
  readonly namespace?: string
  readonly key?: string
  readonly evidence?: number
  readonly headers?: true
  readonly height?: number
  readonly blocks?: number
}

const heightOption = integerOption({ min: 1, max: Number.MAX_SAFE_INTEGER })

export function addProofCommand(program: Command, context: Context): void {
  newCommand(program, 'proof', 'fetch a proof that "diseq verify" checks without any node')
    .argument('[id]', 'id of a final message: proves its place')
    .addOption(nodeOption())
    .option('--trie', 'with an id: also that its data is in the latest trie')
    .option('--namespace <name>', 'all messages of this namespace in a block, or that there are none')
    .option('--key <hex>', 'that a key of the trie is there, or that it is not')
    .option(
      '--evidence <validator>',
      'that the validator of this index signed what no honest one signs',
      integerOption({ min: 0, max: 0xffff }),
    )
    .option('--headers', 'that blocks are final, each the next after the one before')
    .option(
      '--height <height>',
      'with --namespace and --headers: the first block; with --key: of which block the state is meant',
      heightOption,
    )
    .option(
      '--blocks <n>',
      'with --namespace and --headers: how many blocks',
      integerOption({ min: 1, max: 1_000 }),
      1,
    )
    .action((id: string | undefined, options: Options) => printProof(id, options, context))
}

async function printProof(id: string | undefined, options: Options, { terminal }: Context): Promise<void> {
  const proof = await fetchProof(id, options)
  terminal.print(JSON.stringify(proof))
}

async function fetchProof(id: string | undefined, options: Options): Promise<unknown> {
  const { node, namespace, key, height, blocks } = options
  const client = new Client({ nodes: [node] })
  const given = [id, namespace, key, options.evidence, options.headers].filter(
    (each) => each !== undefined,
  ).length
  if (given !== 1) {
    throw new UsageError(
      'one of these is needed: the id of a message, --namespace, --key, --evidence or --headers',
    )
  }
  if (id !== undefined) {
    demandHash(id, 'id')
    const found = await client.proof(id, { withTrie: options.trie === true })
    return found ?? fail(`message ${id}: ${node} does not know it as final`)
  }
  if (key !== undefined) {
    demandHash(key, '--key')
    const found = await client.trieProof(key, height === undefined ? {} : { height })
    return found ?? fail(`--height: ${node} has no trie of block ${height ?? 1} to prove against`)
  }
  if (options.evidence !== undefined) {
    const found = (await client.evidence()).find(({ validator }) => validator === options.evidence)
    return found?.proof ?? fail(`validator ${options.evidence}: ${node} has no evidence against it`)
  }
  const range = { from: height ?? demandHeight(options), limit: blocks ?? 1 }
  const found = await (namespace === undefined
    ? client.headerChain(range)
    : client.namespaceProof(namespace, range))
  return found ?? fail(`block ${height}: ${node} has no final block of this height yet`)
}

function demandHeight({ namespace }: Options): never {
  throw new UsageError(`${namespace === undefined ? '--headers' : '--namespace'}: --height is needed with it`)
}

function demandHash(text: string, name: string): void {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new UsageError(`${name}: 64 lower-case hex digits are needed`)
}

function fail(sentence: string): never {
  throw new Failure(sentence)
}
