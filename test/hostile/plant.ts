// Loaded into the nodes of a run before anything else, where a bug is planted (`--bug`): exchanges lines of their
// sources as they are read. The bugs are those of the simulator (test/simulation/planted-changes.ts), and some that it
// cannot see.
import { registerHooks } from 'node:module'
import { type Change, changesOf } from '../simulation/planted-changes.ts'

export const bugVariable = 'HOSTILE_BUG'

const sourceUrl = new URL('../../src/', import.meta.url).href
/** Runs with each batch that a node makes of its clients' messages. */
const withEachBatch = 'this.#options.onBatch(batch)'
const own: Readonly<Record<string, readonly Change[]>> = {
  'memory-leak': [
    {
      file: 'node/submission.ts',
      from: withEachBatch,
      to: `${withEachBatch}; (globalThis.leaked ??= []).push(Buffer.alloc(1_000_000, 1))`,
    },
  ],
  'open-files-leak': [
    {
      file: 'node/submission.ts',
      from: withEachBatch,
      to: `${withEachBatch}; (globalThis.fs ??= process.getBuiltinModule('node:fs')).openSync('/dev/null')`,
    },
  ],
}

/** @throws RangeError for a bug that nobody knows. */
export function plantedChanges(bug: string): readonly Change[] {
  return own[bug] ?? changesOf(bug)
}

const bug = process.env[bugVariable]
if (bug !== undefined) {
  const changes = plantedChanges(bug)
  registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context)
      const here = changes.filter(({ file }) => url === sourceUrl + file)
      if (here.length === 0) return loaded
      let text = Buffer.from(loaded.source as Uint8Array).toString()
      for (const { file, from, to } of here) {
        const parts = text.split(from)
        if (parts.length !== 2) throw new Error(`${bug}: ${file} has ${parts.length - 1} times ${from}`)
        text = parts.join(to)
      }
      return { ...loaded, source: text }
    },
  })
}
