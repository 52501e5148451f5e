// Writes config.yaml: every option with its description, those left at their default commented out.
import { stringify } from 'yaml'
import { environmentNameOf, type NodeConfig, optionKeys, optionOf } from './options.ts'

const introduction = `# Options of one node. A line that is commented out shows the default. Environment variables and flags of
# \`diseq start\` win over this file; the variable's name is given with each option.
`

/** The text of a config file that sets `values` and explains everything else. `notes` go to the top. */
export function configFileText(values: Partial<NodeConfig>, notes: readonly string[] = []): string {
  const parts = [...notes.map((note) => `${`# ${note}`.trimEnd()}\n`), introduction]
  let group = ''
  for (const key of optionKeys) {
    const option = optionOf(key)
    if (option.group !== group) {
      group = option.group
      parts.push(`\n# --- ${group} ---\n`)
    }
    const isSet = Object.hasOwn(values, key)
    const value = isSet ? values[key] : option.default
    const line = stringify({ [key]: option.type.toYaml(value) }, { lineWidth: 0 })
    parts.push(`\n${wrapComment(`${option.description} (${environmentNameOf(key)})`)}`)
    parts.push(isSet ? line : line.replace(/^(?=.)/gm, '#'))
  }
  return parts.join('')
}

/** Comment lines of at most 110 characters. */
function wrapComment(text: string): string {
  const lines: string[] = []
  let line = '#'
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > 110) {
      lines.push(line)
      line = '#'
    }
    line += ` ${word}`
  }
  return `${[...lines, line].join('\n')}\n`
}
