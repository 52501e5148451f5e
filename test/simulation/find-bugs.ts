// Searches for the planted bugs, seed after seed from 1 on, and prints a row of docs/reliability.md for each:
// `node test/simulation/find-bugs.ts [name…]`. A seed counts only if the node without the bug passes it.
import { run, scenarioOf } from '../../src/simulation/index.ts'
import { withBug } from './plant.ts'
import { plantedBugs } from './planted-bugs.ts'
import { searchedIn } from './planted-changes.ts'

const seedsMax = Number(process.env.SEEDS_MAX ?? 400)
const budgetMs = Number(process.env.BUDGET_MS ?? 60_000)
/** Less than a run has by itself: a bug that stops the chain is known sooner. */
const settleMs = 60_000
const names = process.argv.slice(2)

for (const name of names.length > 0 ? names : plantedBugs.map((bug) => bug.name))
  console.log(await search(name))

async function search(name: string): Promise<string> {
  const among = searchedIn(name)
  const described = `${among.faults.length === 5 ? 'all' : among.faults.join(', ')}${among.lies === undefined ? '' : ` (${among.lies.join()})`}`
  const planted = await withBug(name)
  const startedMs = performance.now()
  let seed = 1
  for (; seed <= seedsMax && performance.now() - startedMs < budgetMs; seed++) {
    const { violation } = await planted.run({ ...planted.scenarioOf({ seed, ...among }), settleMs })
    if (violation === undefined) continue
    const sound = await run({ ...scenarioOf({ seed, ...among }), settleMs })
    if (sound.violation !== undefined) {
      console.error(`${name}: seed ${seed} fails without the bug too: ${sound.violation.text}`)
      continue
    }
    return `| ${name} | ${described} | ${seed} | ${violation.check}: ${violation.text.slice(0, 120)} |`
  }
  return `| ${name} | ${described} | not in ${seed - 1} | |`
}
