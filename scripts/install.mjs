// Whether node_modules is what package-lock.json says, and `npm ci` where it is not. Plain JavaScript for whatever
// Node is on the machine (from 20 on): it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './paths.mjs'

/** Runs `npm ci` unless every locked package is installed in its version. Exits with npm's code if that fails. */
export function installWhatIsMissing() {
  if (isInstalled()) return
  console.error('Installing dependencies (npm ci) …')
  // Errors only: npm would warn that the machine's Node is older than the one it is about to install.
  const args = ['ci', '--loglevel=error', '--no-audit', '--no-fund']
  const npmScript = process.env.npm_execpath
  const { status } = npmScript?.endsWith('.js')
    ? spawnSync(process.execPath, [npmScript, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (status !== 0) {
    console.error('npm ci failed (see above); run it by hand once the cause is mended.')
    process.exit(status ?? 1)
  }
}

/** Compares what npm recorded of its last install with the lock file: dates would lie after a checkout. */
function isInstalled() {
  const wanted = packagesOf(join(root, 'package-lock.json'))
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'))
  if (wanted === undefined || installed === undefined) return false
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    if (path === '') continue
    const found = installed[path]
    // Optional packages are for other platforms; the one for this platform came with the rest.
    if (found === undefined ? optional !== true : found.version !== version) return false
  }
  return existsSync(join(root, 'node_modules', '.bin'))
}

function packagesOf(path) {
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch (error) {
    console.error(`${path} is unreadable (${error.message}); installing anew.`)
    return undefined
  }
}
