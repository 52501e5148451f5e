// Every named schema: what the validator compiles with and the description lists.
import { proofSchemas } from './proofs.ts'
import { type Schema, sharedSchemas } from './shared.ts'

export const allSchemas: readonly (Schema & { readonly $id: string })[] = [
  ...sharedSchemas,
  ...Object.entries(proofSchemas).map(([$id, schema]) => ({ $id, ...schema })),
]
