// Runs the commands of docs/tutorial.md, as they stand there, in a folder and with an `npx diseq` of the test's.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface TutorialOptions {
  readonly folder: string
  /** What `npx diseq` runs: Node and the program. */
  readonly command: readonly string[]
  /** In place of the ports 8080 and 9080, and those after them. */
  readonly baseHttpPort: number
  readonly baseP2pPort: number
}

/** The code blocks for a shell, by the word after `sh`. */
export function tutorialBlocks(): { readonly kind: string; readonly text: string }[] {
  const page = readFileSync(new URL('../../docs/tutorial.md', import.meta.url), 'utf8')
  return [...page.matchAll(/^```sh ?(\w*)\n([\s\S]*?)^```$/gm)].map(([, kind = '', text = '']) => ({
    kind,
    text,
  }))
}

/** All but the installation, in one shell: the network in the background, the rest once it answers. Returns what the
 *  shell said; fails with it where a command failed. */
export function runTutorial({ folder, command, baseHttpPort, baseP2pPort }: TutorialOptions): string {
  const tools = join(folder, 'tools')
  mkdirSync(tools, { recursive: true })
  // `npx diseq …` is the program itself: npx would look for it where the test is not.
  const quoted = command.map((part) => `'${part}'`).join(' ')
  writeFileSync(join(tools, 'npx'), `#!/bin/sh\nshift\nexec ${quoted} "$@"\n`)
  chmodSync(join(tools, 'npx'), 0o755)

  const textOf = (kind: string): string =>
    tutorialBlocks()
      .filter((block) => block.kind === kind)
      .map(({ text }) =>
        text.replace(
          /127\.0\.0\.1:80(8[0-3])/g,
          (_, port) => `127.0.0.1:${baseHttpPort + Number(port) - 80}`,
        ),
      )
      .join('\n')
  const devnet = `${textOf('devnet').trim()} --base-http-port ${baseHttpPort} --base-p2p-port ${baseP2pPort}`
  const script = `
set -eux -o pipefail
${devnet} > devnet.log 2>&1 &
network=$!
trap 'kill -INT $network 2>/dev/null || true; wait $network || true' EXIT
until grep -q 'Final blocks' devnet.log; do kill -0 $network; sleep 0.2; done
${textOf('')}
kill -INT $network
wait $network || true
${textOf('stopped')}
`
  const env = {
    ...process.env,
    PATH: `${tools}:${process.env.PATH}`,
    DISEQ_NODE: `http://127.0.0.1:${baseHttpPort}`,
  }
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: 240_000,
  })
  assert.equal(status, 0, `${stdout}\n${stderr}\n${readFileSync(join(folder, 'devnet.log'), 'utf8')}`)
  return stdout
}
