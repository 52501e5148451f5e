// Flags for options of a node's config, made from its table.
import { type Command, Option } from 'commander'
import { type Flags, flagNameOf, type OptionKey, optionKeys, optionOf } from '../node/config.ts'

/** Adds a flag for each of these options. Their values stay texts: the config's own schema checks them. */
export function addConfigFlags(command: Command, keys: readonly OptionKey[] = optionKeys): void {
  for (const key of keys) {
    const { type, description } = optionOf(key)
    const value = type.isList === true ? `<${type.form.toLowerCase()}...>` : `<${type.form.toLowerCase()}>`
    command.addOption(new Option(`${flagNameOf(key)} ${value}`, description))
  }
}

/** The config flags among a command's options. */
export function flagsGiven(options: object): Flags {
  const values = options as Record<string, unknown>
  const flags: Flags = {}
  for (const key of optionKeys) {
    const value = values[attributeNameOf(key)]
    if (Array.isArray(value)) flags[key] = value.join(',')
    else if (typeof value === 'string') flags[key] = value
  }
  return flags
}

/** Under which name commander stores a flag. */
function attributeNameOf(key: OptionKey): string {
  return new Option(flagNameOf(key)).attributeName()
}
