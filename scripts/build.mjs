// src/ -> dist/, when dist/ is not what the sources would give. `npm ci` calls it as `prepare`.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { builtMain, currentNode, root, toolPath } from './paths.mjs'

const sources = join(root, 'src')
const output = join(root, 'dist')
const stamp = join(output, '.build.json')
const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json']

/** Builds what is missing or outdated. Exits with 1 if the sources do not compile. */
export function build() {
  if (!existsSync(sources)) return
  const state = stateOfSources()
  if (existsSync(builtMain) && existsSync(stamp) && readFileSync(stamp, 'utf8') === state) {
    linkCommand()
    return
  }
  const compiler = toolPath('typescript', 'bin', 'tsc')
  if (!existsSync(compiler)) {
    // An install without devDependencies runs `prepare` as well, and must not fail for it.
    console.error('Not built: TypeScript is a devDependency that is not installed.')
    return
  }
  console.error('Building (src -> dist) …')
  // A failed build leaves no stamp, so the next one starts again.
  rmSync(stamp, { force: true })
  const { status } = spawnSync(currentNode(), [compiler, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) {
    console.error('The build failed: see the errors of the compiler above.')
    process.exit(1)
  }
  removeLeftovers()
  copyAssets()
  chmodSync(builtMain, 0o755)
  linkCommand()
  writeFileSync(stamp, state)
}

/** So that `npx diseq` in the checkout runs what was built: npm links the commands of dependencies only. */
function linkCommand() {
  const link = join(root, 'node_modules', '.bin', 'diseq')
  if (process.platform === 'win32') return
  rmSync(link, { force: true })
  symlinkSync(relative(dirname(link), builtMain), link)
}

/** Names, sizes and dates of all that the build reads. */
function stateOfSources() {
  const files = [...filesIn(sources), ...settings.map((name) => join(root, name))]
  const rows = files.map((path) => {
    const { size, mtimeMs } = statSync(path)
    return [relative(root, path), size, mtimeMs]
  })
  return JSON.stringify(rows)
}

/** What a source that is gone has left in dist would still be found by imports and packed. */
function removeLeftovers() {
  for (const path of filesIn(output)) {
    const base = relative(output, path).replace(/(\.d\.ts|\.js|\.js\.map|\.d\.ts\.map)$/, '')
    const isKnown = existsSync(join(sources, `${base}.ts`)) || existsSync(join(sources, base))
    if (!isKnown) rmSync(path)
  }
}

/** Pages and the like, which the compiler does not carry over. */
function copyAssets() {
  for (const path of filesIn(sources)) {
    if (/\.(ts|md)$/.test(path)) continue
    const target = join(output, relative(sources, path))
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(path, target)
  }
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) build()
