// Curves over linear axes, as an SVG.
export interface Curve {
  readonly name: string
  readonly isDashed?: boolean
  readonly points: readonly (readonly [x: number, y: number])[]
}

const [width, height] = [760, 420]
const margin = { left: 70, right: 190, top: 34, bottom: 55 }
const colours = ['#1b6ca8', '#c44536', '#3a7d44', '#7b5ea7', '#8a6d3b', '#555555']

export function plotOf(details: { title: string; x: string; y: string; curves: readonly Curve[] }): string {
  const { title, curves } = details
  const points = curves.flatMap((curve) => curve.points)
  const x = axisOf(Math.max(...points.map(([at]) => at)), [margin.left, width - margin.right])
  const y = axisOf(Math.max(...points.map(([, at]) => at)), [height - margin.bottom, margin.top])
  const bottom = height - margin.bottom
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${margin.left}" y="20" font-size="14">${title}</text>`,
    ...x.ticks.map(
      (tick) =>
        `<line x1="${x.at(tick)}" y1="${margin.top}" x2="${x.at(tick)}" y2="${bottom}" stroke="#e4e4e4"/><text x="${x.at(tick)}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`,
    ),
    ...y.ticks.map(
      (tick) =>
        `<line x1="${margin.left}" y1="${y.at(tick)}" x2="${width - margin.right}" y2="${y.at(tick)}" stroke="#e4e4e4"/><text x="${margin.left - 8}" y="${y.at(tick) + 4}" text-anchor="end">${tick}</text>`,
    ),
    `<text x="${(margin.left + width - margin.right) / 2}" y="${height - 12}" text-anchor="middle">${details.x}</text>`,
    `<text transform="translate(18 ${height / 2}) rotate(-90)" text-anchor="middle">${details.y}</text>`,
    ...curves.flatMap((curve, index) => drawn(curve, index, x.at, y.at)),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

/** From 0 to a round number above the largest value. */
function axisOf(
  max: number,
  [start, end]: readonly [number, number],
): { at: (value: number) => number; ticks: number[] } {
  const rough = max / 6
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power
  const count = Math.ceil(max / step - 1e-9)
  const at = (value: number) => Number((start + (value / (count * step)) * (end - start)).toFixed(1))
  return { at, ticks: Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(6))) }
}

function drawn(
  { name, isDashed = false, points }: Curve,
  index: number,
  x: (value: number) => number,
  y: (value: number) => number,
): string[] {
  const colour = colours[index % colours.length] ?? 'black'
  const dash = isDashed ? ' stroke-dasharray="5 4"' : ''
  const [legendX, legendY] = [width - margin.right + 14, margin.top + 18 * index + 6]
  return [
    `<polyline points="${points.map(([a, b]) => `${x(a)},${y(b)}`).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`,
    `<line x1="${legendX}" y1="${legendY}" x2="${legendX + 22}" y2="${legendY}" stroke="${colour}" stroke-width="2"${dash}/>`,
    `<text x="${legendX + 28}" y="${legendY + 4}">${name}</text>`,
  ]
}
