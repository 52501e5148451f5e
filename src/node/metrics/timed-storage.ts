// The disk with a stopwatch: how long each durable write took. The same store and file, else.
import type { KeyValueStore, PageLog, RecordFile } from '../../storage/index.ts'

/** Told after each write, also one that failed. */
export type OnWrite = (write: { readonly isSynced: boolean; readonly ms: number }) => void

export function timedStore(store: KeyValueStore, onWrite: OnWrite): KeyValueStore {
  return {
    pages: timedPages(store.pages, onWrite),
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    write: (operations, options) =>
      timed(
        () => store.write(operations, options),
        (ms) => onWrite({ isSynced: options.sync, ms }),
      ),
    iterate: (range) => store.iterate(range),
    close: () => store.close(),
  }
}

/** A checkpoint waits for the log's sync; what is added to it meanwhile, nobody. */
function timedPages(pages: PageLog, onWrite: OnWrite): PageLog {
  return {
    get: (id) => pages.get(id),
    from: (id) => pages.from(id),
    append: (piece) => pages.append(piece),
    sync: () =>
      timed(
        () => pages.sync(),
        (ms) => onWrite({ isSynced: true, ms }),
      ),
    release: (first) => pages.release(first),
    cut: (range) => pages.cut(range),
  }
}

export function timedFile(file: RecordFile, onWrite: OnWrite): RecordFile {
  const done = (ms: number) => onWrite({ isSynced: true, ms })
  return {
    read: () => file.read(),
    append: (bytes) => timed(() => file.append(bytes), done),
    replace: (bytes) => timed(() => file.replace(bytes), done),
  }
}

async function timed(write: () => Promise<void>, done: (ms: number) => void): Promise<void> {
  const startedAt = performance.now()
  try {
    await write()
  } finally {
    done(performance.now() - startedAt)
  }
}
