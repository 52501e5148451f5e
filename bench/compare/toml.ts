// Changes of settings in a TOML file that a program wrote itself: a line `key = value` each, under its section.

/** Values as TOML writes them, by section and key; '' is what stands before the first section. */
export type TomlChanges = Readonly<Record<string, Readonly<Record<string, string>>>>

/** @throws RangeError where a setting is not there: a release that does not know it would run untuned in silence. */
export function changeToml(text: string, changes: TomlChanges): string {
  const missing = new Set(
    Object.entries(changes).flatMap(([section, values]) =>
      Object.keys(values).map((key) => `${section}.${key}`),
    ),
  )
  let section = ''
  const lines = text.split('\n').map((line) => {
    const title = /^\s*\[([^\]]+)\]/.exec(line)?.[1]
    if (title !== undefined) section = title
    const key = /^\s*([A-Za-z0-9_-]+)\s*=/.exec(line)?.[1]
    const value = key === undefined ? undefined : changes[section]?.[key]
    if (value === undefined) return line
    missing.delete(`${section}.${key}`)
    return `${key} = ${value}`
  })
  if (missing.size > 0) throw new RangeError(`the configuration has no setting ${[...missing].join(', ')}`)
  return lines.join('\n')
}
