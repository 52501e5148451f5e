// Writes the examples in config/ from the table of options (`npm run examples`). A test keeps them in step.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './paths.mjs'

const { exampleConfigText, exampleGenesisText } = await import('../src/node/examples.ts')

writeFileSync(join(root, 'config', 'config.yaml'), exampleConfigText())
writeFileSync(join(root, 'config', 'genesis.json'), exampleGenesisText())
