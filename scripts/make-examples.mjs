// Writes the examples in config/ and the reference pages in docs/ (`npm run examples`). Tests keep them in step.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './paths.mjs'

const { exampleConfigText, exampleGenesisText } = await import('../src/node/examples.ts')

writeFileSync(join(root, 'config', 'config.yaml'), exampleConfigText())
writeFileSync(join(root, 'config', 'genesis.json'), exampleGenesisText())

const { commandReference, configurationReference } = await import('../src/cli/reference.ts')

writeFileSync(join(root, 'docs', 'cli.md'), commandReference())
writeFileSync(join(root, 'docs', 'configuration.md'), configurationReference())
