// Latency against throughput as the offered load rises, as an SVG: a curve for the median and one for the 99th
// percentile of each system, both axes logarithmic.
import type { StageFigures } from './stage.ts'

const width = 760
const height = 460
const margin = { left: 70, right: 150, top: 30, bottom: 55 }
const colours = ['#1b6ca8', '#c44536', '#3a7d44', '#7b5ea7']

interface Point {
  readonly x: number
  readonly y: number
}
interface Curve {
  readonly name: string
  readonly colour: string
  readonly isDashed: boolean
  readonly points: readonly Point[]
}

/** Empty where no stage has both figures. */
export function plotOf(stages: readonly StageFigures[], title: string): string {
  const curves = curvesOf(stages)
  const points = curves.flatMap((curve) => curve.points)
  if (points.length === 0) return ''
  const x = axis(
    points.map((point) => point.x),
    [margin.left, width - margin.right],
  )
  const y = axis(
    points.map((point) => point.y),
    [height - margin.bottom, margin.top],
  )
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${margin.left}" y="18" font-size="14">${escaped(title)}</text>`,
    ...x.ticks.map((tick) => verticalTick(x.at(tick), tick)),
    ...y.ticks.map((tick) => horizontalTick(y.at(tick), tick)),
    `<text x="${(margin.left + width - margin.right) / 2}" y="${height - 12}" text-anchor="middle">final messages a second</text>`,
    `<text transform="translate(16 ${height / 2}) rotate(-90)" text-anchor="middle">from due to final, ms</text>`,
    ...curves.flatMap((curve, index) => drawn(curve, index, { x: x.at, y: y.at })),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

function curvesOf(stages: readonly StageFigures[]): Curve[] {
  const names = [...new Set(stages.map(({ target }) => target))]
  return names.flatMap((name, index) => {
    const own = stages.filter(({ target }) => target === name)
    const curve = (label: string, isDashed: boolean, of: (stage: StageFigures) => number): Curve => ({
      name: `${name} ${label}`,
      colour: colours[index % colours.length] ?? 'black',
      isDashed,
      points: own
        .map((stage) => ({ x: stage.finalPerSecond, y: of(stage) }))
        .filter((point) => point.x > 0 && point.y > 0)
        .sort((a, b) => a.x - b.x),
    })
    return [
      curve('p50', false, ({ latency }) => latency.p50),
      curve('p99', true, ({ latency }) => latency.p99),
    ]
  })
}

/** Whole powers of ten around the values; ticks at 1, 2 and 5 times each. */
function axis(
  values: readonly number[],
  [start, end]: readonly [number, number],
): { at: (value: number) => number; ticks: number[] } {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
  const at = (value: number) => start + ((Math.log10(value) - low) / (high - low)) * (end - start)
  const ticks: number[] = []
  for (let power = low; power <= high; power++) {
    for (const step of power === high ? [1] : [1, 2, 5]) ticks.push(step * 10 ** power)
  }
  return { at, ticks }
}

function verticalTick(x: number, value: number): string {
  return (
    `<line x1="${x}" y1="${margin.top}" x2="${x}" y2="${height - margin.bottom}" stroke="#e4e4e4"/>` +
    `<text x="${x}" y="${height - margin.bottom + 18}" text-anchor="middle">${value}</text>`
  )
}

function horizontalTick(y: number, value: number): string {
  return (
    `<line x1="${margin.left}" y1="${y}" x2="${width - margin.right}" y2="${y}" stroke="#e4e4e4"/>` +
    `<text x="${margin.left - 8}" y="${y + 4}" text-anchor="end">${value}</text>`
  )
}

function drawn(
  { name, colour, isDashed, points }: Curve,
  index: number,
  at: { x: (value: number) => number; y: (value: number) => number },
): string[] {
  const places = points.map((point) => `${at.x(point.x).toFixed(1)},${at.y(point.y).toFixed(1)}`)
  const dash = isDashed ? ' stroke-dasharray="5 4"' : ''
  const legendY = margin.top + 16 * index
  const legendX = width - margin.right + 12
  return [
    `<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`,
    ...places.map((place) => {
      const [cx, cy] = place.split(',')
      return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`
    }),
    `<line x1="${legendX}" y1="${legendY}" x2="${legendX + 22}" y2="${legendY}" stroke="${colour}" stroke-width="2"${dash}/>`,
    `<text x="${legendX + 28}" y="${legendY + 4}">${escaped(name)}</text>`,
  ]
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? sign)
}
