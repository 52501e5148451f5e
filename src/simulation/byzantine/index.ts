// All ways of lying, by name.
import type { MakeBehaviour } from '../behaviour.ts'

/** The one that needs a second node with the same keys. */
export const twinLie = 'twin'

export const lies: Readonly<Record<string, MakeBehaviour>> = {}

export const lieNames: readonly string[] = Object.keys(lies)
