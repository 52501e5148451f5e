// `npm start`, `npm test` and `npm run test:full` on a fresh clone: installs and builds what is missing, then runs.
// Needs nothing but npm and Node from 20 on; what it starts runs under the pinned Node.
import { spawn } from 'node:child_process'
import { build } from './build.mjs'
import { installWhatIsMissing } from './install.mjs'
import { builtMain, currentNode, root } from './paths.mjs'
import { runTests } from './tests.mjs'

const [task, ...args] = process.argv.slice(2)

switch (task) {
  case 'start':
    installWhatIsMissing()
    build()
    startDevnet()
    break
  case 'test':
    installWhatIsMissing()
    process.exitCode = await runTests('quick')
    break
  case 'test:full':
    installWhatIsMissing()
    process.exitCode = await runTests('full')
    break
  default:
    console.error(`Unknown task ${task ?? ''}: start, test or test:full is needed.`)
    process.exitCode = 2
}

/** Signals go on to the network, whose end is awaited: it has four databases to close. A terminal sends Ctrl-C to
 *  the whole group; devnet takes the signals that follow the first for its echo. */
function startDevnet() {
  const child = spawn(currentNode(), [builtMain, 'devnet', ...args], { cwd: root, stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`Could not start Node (${error.message}); delete node_modules and run npm start again.`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
  })
}
