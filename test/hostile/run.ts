// A hostile run from the command line:
//   node test/hostile/run.ts --seed 7 --minutes 4            # makes the manifest of seed 7 and carries it out
//   node test/hostile/run.ts --seed 7 --minutes 4 --print    # only prints it
//   node test/hostile/run.ts --manifest FILE                 # carries out a manifest that was printed
//   … --ground compose                                       # in containers instead of network namespaces
//   … --bug memory-leak                                      # with a bug planted, which it has to find (plant.ts)
// The outcome goes to standard output as JSON, what happens meanwhile to standard error. Exit code 0: nothing was
// wrong; 1: something was; 2: wrong usage; 3: this machine cannot do it, and why.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runCampaign } from './campaign.ts'
import { makeCompose, whatIsMissing as whatComposeLacks } from './compose.ts'
import type { Ground, MakeGround } from './ground.ts'
import { type Manifest, makeManifest } from './manifest.ts'
import { freshNamespaces, makeNamespaces, whatIsMissing } from './namespaces.ts'
import { plantedChanges } from './plant.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    minutes: { type: 'string', default: '4' },
    manifest: { type: 'string' },
    ground: { type: 'string', default: 'namespaces' },
    bug: { type: 'string' },
    print: { type: 'boolean', default: false },
    /** Set by the run itself, for its part in fresh namespaces. */
    inside: { type: 'boolean', default: false },
  },
})

process.exitCode = await main()

async function main(): Promise<number> {
  const [seed, minutes] = [Number(values.seed), Number(values.minutes)]
  if (!Number.isSafeInteger(seed) || seed < 0 || !(minutes > 0)) {
    console.error('--seed needs an integer from 0 on, --minutes a number above 0')
    return 2
  }
  const manifest =
    values.manifest === undefined
      ? makeManifest({ seed, minutes })
      : (JSON.parse(readFileSync(values.manifest, 'utf8')) as Manifest)
  if (values.print) {
    console.log(JSON.stringify(manifest, null, 2))
    return 0
  }
  // A fault that failed may leave others waiting.
  if (values.inside) process.exit(await carryOut(manifest, makeNamespaces))
  const isCompose = values.ground === 'compose'
  if (values.bug !== undefined) {
    plantedChanges(values.bug)
    if (isCompose) throw new RangeError('--bug: containers run what was built')
  }
  if (!isCompose && values.ground !== 'namespaces') {
    console.error(`--ground ${values.ground}: there are namespaces and compose`)
    return 2
  }
  const reason = isCompose ? whatComposeLacks() : whatIsMissing()
  if (reason !== undefined) {
    console.error(`skipped: ${reason}`)
    return 3
  }
  if (isCompose) process.exit(await carryOut(manifest, makeCompose))
  return inFreshNamespaces(manifest.seed)
}

/** This same run once more, where it may do as it likes. */
function inFreshNamespaces(seed: number): Promise<number> {
  const again = [process.execPath, ...process.argv.slice(1), '--seed', String(seed), '--inside']
  const [command = '', ...args] = freshNamespaces(again)
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  // It ends when this process does: its channel closes. An interrupt reaches both.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.disconnect())
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

async function carryOut(manifest: Manifest, makeGround: MakeGround): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'diseq-hostile-'))
  const startedAt = performance.now()
  const note = (line: string) => {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    console.error(`${new Date().toISOString().slice(11, 19)} ${seconds.padStart(7)} s  ${line}`)
  }
  let ground: Ground | undefined
  const abandon = async () => {
    await ground?.close()
    rmSync(folder, { recursive: true, force: true })
    process.exit(1)
  }
  // Whoever started it is gone.
  process.once('disconnect', abandon)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, abandon)
  try {
    ground = await makeGround({ manifest, folder, bug: values.bug })
    for (const [kind, reason] of ground.missing) note(`left out: ${kind}: ${reason}`)
    console.log(JSON.stringify(await runCampaign({ manifest, ground, note }), null, 2))
    await ground.close()
    rmSync(folder, { recursive: true, force: true })
    return 0
  } catch (error) {
    console.error(error)
    keepLogs(folder, manifest, ground)
    console.error(
      `seed ${manifest.seed}, ${manifest.minutes} minutes; the homes, logs and the manifest are in ${folder}`,
    )
    await ground?.close()
    return 1
  }
}

function keepLogs(folder: string, manifest: Manifest, ground: Ground | undefined): void {
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest, null, 2))
  for (const node of ground?.nodes ?? []) writeFileSync(join(folder, `${node.name}.log`), node.tail(100_000))
}
