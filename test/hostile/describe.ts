// A fault in a line, for whoever looks on.
import type { Fault, Link } from './manifest.ts'

export function describe(fault: Fault): string {
  const { kind, forMs } = fault
  const seconds = forMs === 0 ? '' : ` for ${(forMs / 1_000).toFixed(1)} s`
  const linkText = (links: readonly Link[]) => links.map(({ from, to }) => `${from}>${to}`).join(' ')
  switch (kind) {
    case 'partition':
      return `${kind} ${fault.groups.map((group) => group.join('')).join('|')}${seconds}`
    case 'partial-partition':
    case 'one-way':
      return `${kind} ${linkText(fault.links)}${seconds}`
    case 'loss':
      return `${kind} of ${fault.percent} % ${linkText(fault.links)}${seconds}`
    case 'rate':
      return `${kind} of ${fault.kbitPerSecond} kbit/s at ${fault.nodes.join(' ')}${seconds}`
    case 'corrupt-database':
      return `${kind} of ${fault.nodes.join(' ')}`
    case 'clock':
      return `${kind} of ${fault.nodes.join(' ')} by ${fault.offsetMs / 1_000} s${seconds}`
    default:
      return `${kind} ${fault.nodes.join(' ')}${seconds}`
  }
}
