// Every small change that can be made to a JSON value: what a forger or a bad line might do to a proof.

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** Each value that differs from `value` in one place: a bit of a number, a flag, a list or object with one thing
 *  left out, doubled, swapped with its neighbour, or replaced by null or an empty list. */
export function* changesOf(value: Json): Generator<Json> {
  if (typeof value === 'number') {
    for (let bit = 0; bit < 8; bit += 1) yield value ^ (1 << bit)
    return
  }
  if (typeof value === 'boolean') {
    yield !value
    return
  }
  if (value === null) {
    yield []
    yield new Array(32).fill(0)
    return
  }
  if (typeof value === 'string') return
  yield null
  yield []
  if (Array.isArray(value)) yield* changesOfList(value)
  else yield* changesOfObject(value as { readonly [name: string]: Json })
}

function* changesOfList(list: readonly Json[]): Generator<Json> {
  for (const [index, item] of list.entries()) {
    for (const changed of changesOf(item)) yield list.with(index, changed)
    yield list.toSpliced(index, 1)
    yield list.toSpliced(index, 0, item)
    const next = list[index + 1]
    if (next !== undefined && next !== item) yield list.with(index, next).with(index + 1, item)
  }
}

function* changesOfObject(object: { readonly [name: string]: Json }): Generator<Json> {
  for (const [name, item] of Object.entries(object)) {
    for (const changed of changesOf(item)) yield { ...object, [name]: changed }
    const others = Object.entries(object).filter(([other]) => other !== name)
    yield Object.fromEntries(others)
    for (const kind of ['Root', 'Branch', 'Leaf', 'key', 'hash', 'left', 'right', 'data']) {
      if (kind !== name) yield Object.fromEntries([...others, [kind, item]])
    }
  }
}
