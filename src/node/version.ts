// The version of this software, from its package.json, which is two levels up in src/ and in dist/ alike.
import { readFileSync } from 'node:fs'

export function softwareVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
