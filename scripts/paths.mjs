// Where things are in a checkout, and which Node runs them.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const builtMain = join(root, 'dist', 'cli', 'main.js')

/** The pinned Node of the devDependency `node`; where it has no binary for this platform, the one running now. */
export function currentNode() {
  const pinned = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  return existsSync(pinned) ? pinned : process.execPath
}

/** A package's own script, to be run with `currentNode()`: shims in .bin differ by platform. */
export function toolPath(...parts) {
  return join(root, 'node_modules', ...parts)
}
