// How values look to people.

/** Rows of a label and a value, the values in a column. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n')
}

/** Local time, to the millisecond. */
export function formatTime(timeMs: number): string {
  const date = new Date(timeMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${formatClock(timeMs)}`
}

/** Local time of day, to the millisecond. */
export function formatClock(timeMs: number): string {
  const date = new Date(timeMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const millis = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`
}

export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} B`
  const units = ['KiB', 'MiB', 'GiB']
  let value = sizeBytes / 1024
  let unit = 0
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${value.toFixed(1)} ${units[unit]}`
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Text of others, as it is but for what would draw lines or move the cursor: controls, line separators and marks that
 *  turn the direction of writing. */
export function formatText(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Between a message's place and its data. */
export function formatNamespace(namespace: string | undefined): string {
  return namespace === undefined ? '' : ` [${formatText(namespace)}]`
}

/** A message's data as text where it is some, else as hex; cut to `maxLength` characters. */
export function formatData(data: Uint8Array, maxLength = 60): string {
  const text = printableText(data)
  const shown =
    text === undefined ? `0x${Buffer.from(data).toString('hex')}` : formatText(JSON.stringify(text))
  return shown.length <= maxLength ? shown : `${shown.slice(0, maxLength - 1)}…`
}

function printableText(data: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data)
    return /\p{Cc}/u.test(text.replace(/[\t\n\r]/g, '')) ? undefined : text
  } catch {
    // Not UTF-8: that is what the caller asks.
    return undefined
  }
}
