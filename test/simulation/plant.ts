// Plants a bug: loads the simulator, and through it the node, a second time with a few lines of source exchanged. The
// files on disk stay as they are; a bug whose lines are no longer in the source is an error, so that the list cannot
// rot unnoticed.
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import type * as Simulation from '../../src/simulation/index.ts'
import { type Change, changesOf } from './planted-changes.ts'

const sourceUrl = new URL('../../src/', import.meta.url).href
/** Marks the modules of a graph in which a bug is planted. */
const mark = /\?bug=([^?]+)$/
const applied = new Map<string, Set<Change>>()
let isHooked = false

/** The simulator over a node with this bug. @throws Error where the bug no longer fits the source. */
export async function withBug(name: string): Promise<typeof Simulation> {
  const changes = changesOf(name)
  hook()
  applied.set(name, new Set())
  const simulation = (await import(
    `${sourceUrl}simulation/index.ts?bug=${encodeURIComponent(name)}`
  )) as typeof Simulation
  const missed = changes.filter((change) => !applied.get(name)?.has(change))
  if (missed.length > 0) throw new Error(`${name}: never loaded ${missed.map(({ file }) => file).join(', ')}`)
  return simulation
}

function hook(): void {
  if (isHooked) return
  isHooked = true
  registerHooks({
    resolve: (specifier, context, next) => {
      const resolved = next(specifier, context)
      const bug = mark.exec(context.parentURL ?? '')?.[0]
      const isOurs = resolved.url.startsWith(sourceUrl) && !resolved.url.includes('?')
      return bug !== undefined && isOurs ? { ...resolved, url: resolved.url + bug } : resolved
    },
    load: (url, context, next) => {
      const marked = mark.exec(url)?.[1]
      if (marked === undefined) return next(url, context)
      const bug = decodeURIComponent(marked)
      const plain = url.replace(mark, '')
      const loaded = next(plain, context)
      const source =
        typeof loaded.source === 'string'
          ? loaded.source
          : Buffer.from(loaded.source as Uint8Array).toString()
      return { ...loaded, source: changed(bug, plain, source) }
    },
  })
}

function changed(bug: string, url: string, source: string): string {
  let text = source
  for (const change of changesOf(bug)) {
    if (url !== sourceUrl + change.file) continue
    const parts = text.split(change.from)
    if (parts.length !== 2)
      throw new Error(
        `${bug}: ${fileURLToPath(url)} has ${parts.length - 1} times what is to be changed: ${change.from}`,
      )
    text = parts.join(change.to)
    applied.get(bug)?.add(change)
  }
  return text
}
