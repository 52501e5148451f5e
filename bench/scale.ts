// Larger networks, what leaders gain by silence, and what they decide by choosing quorums: the figures, tables and plots of
// docs/scale.md. Run: node bench/scale.ts; with numbers of validators it measures those networks alone and keeps the rest.
// All of it is in virtual time, so a busy machine changes nothing but how long it takes.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type BiasPoint, leaderBias } from './scale/leader-bias.ts'
import { measureNetwork, type NetworkFigures } from './scale/networks.ts'
import { plotOf } from './scale/plot.ts'
import { type ChoicePoint, quorumChoice } from './scale/quorum-choice.ts'

interface Figures {
  readonly networks: readonly NetworkFigures[]
  readonly bias: readonly BiasPoint[]
  readonly choice: readonly ChoicePoint[]
}

const folder = new URL('../docs/scale/', import.meta.url)
const figuresFile = new URL('figures.json', folder)
const page = new URL('../docs/scale.md', import.meta.url)

const sizes = [
  { validators: 4, loadMs: 30_000, seeds: [1, 2, 3, 4, 5, 6, 7, 8] },
  { validators: 10, loadMs: 30_000, seeds: [1, 2, 3, 4] },
  { validators: 21, loadMs: 30_000, seeds: [1, 2] },
  { validators: 50, loadMs: 20_000, seeds: [1] },
  { validators: 100, loadMs: 10_000, seeds: [1] },
]
/** With everybody up; and with some down: sixteen blocks take a while where many of their first leaders are. */
const warmUpMs = { allUp: 50_000, someDown: 120_000 }
const downShares = [0, 0.1, 0.3]
const biasValidators = 30
const choiceValidators = [4, 10, 21, 50, 100]
const gapsMs = [0, 5, 10, 20, 50, 100, 200, 400]

const chosen = process.argv.slice(2).map(Number)
const known: Partial<Figures> = existsSync(figuresFile)
  ? (JSON.parse(readFileSync(figuresFile, 'utf8')) as Partial<Figures>)
  : {}
const isChosen = (validators: number) => chosen.length === 0 || chosen.includes(validators)
const networks = (known.networks ?? []).filter(({ validators }) => !isChosen(validators))
for (const size of sizes.filter(({ validators }) => isChosen(validators))) {
  for (const share of downShares) {
    const down = Math.floor(size.validators * share)
    if (networks.some((each) => each.validators === size.validators && each.down === down)) continue
    networks.push(
      await measureNetwork({ ...size, down, warmUpMs: down === 0 ? warmUpMs.allUp : warmUpMs.someDown }),
    )
    console.error(JSON.stringify(networks.at(-1)))
    // The largest take long: what is measured stays measured.
    save({ ...known, networks })
  }
}
networks.sort((a, b) => a.validators - b.validators || a.down - b.down)
const kept = chosen.length > 0 ? known : {}
const bias = kept.bias ?? biasCurve()
const choice = kept.choice ?? choiceCurves()
save({ networks, bias, choice })
writeFileSync(new URL('latency.svg', folder), latencyPlot())
writeFileSync(new URL('leader-bias.svg', folder), biasPlot())
writeFileSync(new URL('quorum-choice.svg', folder), choicePlot())
writeFileSync(page, text())

function save(figures: Partial<Figures>): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(figuresFile, `${JSON.stringify(figures, null, 1)}\n`)
}

function biasCurve(): BiasPoint[] {
  const membersMax = Math.floor((biasValidators - 1) / 3)
  return Array.from({ length: membersMax + 1 }, (_, members) =>
    leaderBias({ validators: biasValidators, members, heights: 10_000 }),
  )
}

function choiceCurves(): ChoicePoint[] {
  return choiceValidators.flatMap((validators) =>
    gapsMs.map((gapMs) => quorumChoice({ validators, gapMs, pairs: 500 })),
  )
}

function latencyPlot(): string {
  const curveOf = (share: number, figure: 'p50Ms' | 'p99Ms') => ({
    name: `${Math.round(share * 100)} % down, ${figure === 'p50Ms' ? 'p50' : 'p99'}`,
    isDashed: figure === 'p99Ms',
    points: sizes.flatMap(({ validators }) => {
      const found = networks.find(
        (each) => each.validators === validators && each.down === Math.floor(validators * share),
      )
      return found === undefined ? [] : [[validators, found[figure]] as const]
    }),
  })
  const curves = downShares.flatMap((share) => [curveOf(share, 'p50Ms'), curveOf(share, 'p99Ms')])
  return plotOf({ title: 'Time to final over twelve regions', x: 'validators', y: 'ms', curves })
}

function biasPlot(): string {
  const percent = (value: number) => 100 * value
  return plotOf({
    title: 'Blocks led by a coalition that withholds',
    x: 'power of the coalition, %',
    y: 'blocks led, %',
    curves: [
      { name: 'withholding', points: bias.map(({ power, share }) => [percent(power), percent(share)]) },
      { name: 'fair', isDashed: true, points: bias.map(({ power }) => [percent(power), percent(power)]) },
    ],
  })
}

function choicePlot(): string {
  const curves = choiceValidators.map((validators) => ({
    name: `${validators} validators`,
    points: choice
      .filter((point) => point.validators === validators)
      .map(({ gapMs, byChoice }) => [gapMs, 100 * byChoice] as const),
  }))
  return plotOf({
    title: 'Pairs that a chosen quorum turns round',
    x: 'ms between the two submissions',
    y: 'pairs, %',
    curves,
  })
}

/** A table with holes says so. */
function unmeasured(): string {
  const missing = sizes.flatMap(({ validators }) =>
    downShares
      .map((share) => Math.floor(validators * share))
      .filter((down) => !networks.some((each) => each.validators === validators && each.down === down))
      .map((down) => `${down} of ${validators}`),
  )
  return missing.length === 0 ? '' : `Not measured: ${missing.join(' and ')} validators down.\n\n`
}

function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  return [line(heads), line(heads.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

function text(): string {
  return `# Scale, and what leaders can do

Made by \`node bench/scale.ts\`, with the node's own code: real replicas on the simulated network of [reliability.md](reliability.md), in virtual time, so the machine has no part in the figures. All the simulator's checks ran meanwhile.

## Larger networks

Validators of equal power in twelve regions of a large cloud, by measured round trips (\`test/data/wan-rtt-ms.csv\`); default settings; a message each three seconds at first, then ten of 200 bytes a second, each to a validator drawn by chance. Those that are down are so from the start, and within what the fault model allows.

${table(
  [
    'validators',
    'down',
    'heights',
    'time to final p50',
    'p99',
    'views per height, first 16',
    'later',
    'KB per node and block',
  ],
  networks.map((each) => [
    each.validators,
    each.down,
    each.heights,
    `${Math.round(each.p50Ms)} ms`,
    `${Math.round(each.p99Ms)} ms`,
    each.viewsFirst.toFixed(2),
    each.viewsLater.toFixed(2),
    (each.bytesPerNodeAndBlock / 1000).toFixed(1),
  ]),
)}

![time to final](scale/latency.svg)

${unmeasured()}- *Time to final* runs from the answer to the client until the node that gave it has the block final; of messages sent at the full rate, after the first 16 blocks. Until then a leader that is down has its turn, and its view lasts as long as its timer, which doubles from view to view: with 30 % down five such leaders in a row, one height in four hundred, take 46 s. From then on who is absent leads last.
- *KB per node and block* is what a validator receives: each frame once from whoever sends it, requests and answers. Gossip's own copies and headers, and libp2p's framing, come on top; processor time does not count here, and a real network of a hundred needs it for signatures.
- Where few validators are spread over regions by chance the quorum's distance varies much: four validators are eight such networks together, ten are four, twenty-one are two.

## Leaders that withhold

A leader's beacon is the one output of its VRF: it cannot choose it, but it can keep its block back when the beacon would not suit it. Here ${biasValidators} validators of equal power, of which a coalition knows the beacons of all its members beforehand: of those that lead the first views of a height, that one proposes whose beacon gives the coalition the most of the next height's first views; the others are silent. Leaders are drawn by the real rule, 10,000 heights a point (a standard error of up to 0.5 %).

${table(
  ['power of the coalition', 'blocks led', 'fair', 'views per height'],
  bias.map(({ power, share, views }) => [
    `${(100 * power).toFixed(1)} %`,
    `${(100 * share).toFixed(1)} %`,
    `${(100 * power).toFixed(1)} %`,
    views.toFixed(3),
  ]),
)}

![leader bias](scale/leader-bias.svg)

What it costs the others is the views in which the coalition is silent; each lasts no longer than its leader's nullify takes, if it says so, else its timer.

## What a choice of quorum changes in the order

The leader may attach the commitments of any quorum. Two batches are submitted some milliseconds apart to validators drawn by chance; 500 pairs a point. *By chance*: share of pairs that a quorum drawn by chance orders otherwise than all commitments together. *By choice*: share of pairs that some quorum turns round, of those tried (20 by chance, and six that leave out the extremes of either batch, or of the difference).

${table(
  ['ms apart', ...choiceValidators.flatMap((n) => [`${n} validators: by chance`, 'by choice'])],
  gapsMs.map((gapMs) => [
    gapMs,
    ...choiceValidators.flatMap((n) => {
      const point = choice.find((each) => each.validators === n && each.gapMs === gapMs)
      return [point?.byChance ?? 0, point?.byChoice ?? 0].map((share) => `${(100 * share).toFixed(1)} %`)
    }),
  ]),
)}

![choice of quorum](scale/quorum-choice.svg)

A pair that all honest validators received in one order stands in that order whatever the quorum (protocol §3.3); what is left to the leader are batches that different regions saw in different orders.
`
}
