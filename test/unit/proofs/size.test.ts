// What a page loads to check proofs stays small, and runs without anything of Node.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const maxGzippedBytes = 25 * 1024

test('the verifier as browsers load it is below 25 KiB gzipped', async () => {
  const entry = fileURLToPath(new URL('../../../src/proofs/index.ts', import.meta.url))
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    legalComments: 'none',
    logLevel: 'silent',
  })
  const code = outputFiles[0]?.contents
  assert(code !== undefined)
  const sizeBytes = gzipSync(code, { level: 9 }).length
  assert(sizeBytes < maxGzippedBytes, `${sizeBytes} bytes`)
})
