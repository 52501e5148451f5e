#!/usr/bin/env node
// The `diseq` command. This file imports nothing, so that an old Node gets as far as the sentence about it.

const needed = [22, 18] as const
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  process.stderr.write(
    `diseq needs Node ${needed.join('.')} or newer, and this is ${process.version}: install a current one, or run "npx -p node@24 -p diseq diseq …" (in a checkout "npm start" brings its own).\n`,
  )
  process.exitCode = 2
} else {
  const { runCli } = await import('./program.ts')
  const { processTerminal } = await import('./terminal.ts')
  process.exitCode = await runCli(process.argv.slice(2), processTerminal())
}
