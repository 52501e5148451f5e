// What the plan of a hostile run promises, whatever its seed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fault, faultKinds, type Manifest, makeManifest, nodesOf } from '../../hostile/manifest.ts'

const seeds = Array.from({ length: 200 }, (_, seed) => seed)
const manifests = seeds.map((seed) => makeManifest({ seed, minutes: 4 }))

const faultsOf = ({ rounds }: Manifest): readonly Fault[] => rounds.flatMap(({ faults }) => faults)

test('one seed gives one plan, and another seed another one', () => {
  const text = (seed: number) => JSON.stringify(makeManifest({ seed, minutes: 4 }).rounds)
  assert.equal(text(7), text(7))
  assert.equal(new Set(seeds.map(text)).size, seeds.length)
})

test('a plan says all of it in JSON', () => {
  for (const manifest of manifests) assert.deepEqual(JSON.parse(JSON.stringify(manifest)), manifest)
})

test('an hour has every kind of fault, many times', () => {
  for (const seed of seeds.slice(0, 10)) {
    const kinds = faultsOf(makeManifest({ seed, minutes: 60 })).map(({ kind }) => kind)
    for (const kind of faultKinds) {
      const count = kinds.filter((other) => other === kind).length
      assert.ok(count >= 10, `seed ${seed}: ${kind} ${count} times`)
    }
  }
})

test('a longer plan is the shorter one and more', () => {
  const [short, long] = [2, 60].map((minutes) => makeManifest({ seed: 3, minutes }).rounds)
  assert.ok(short !== undefined && long !== undefined && long.length > 10 * short.length)
  assert.deepEqual(long[0], short[0])
})

test('what is done to a node itself is one fault a round', () => {
  for (const { seed, rounds } of manifests) {
    for (const [at, { faults }] of rounds.entries()) {
      const nodes = faults.flatMap(nodesOf)
      assert.equal(new Set(nodes).size, nodes.length, `seed ${seed}, round ${at}`)
    }
  }
})

test('the process of the witness lives on in the last two thirds, and its database is never damaged', () => {
  const ending = ['kill', 'restart', 'rolling-restart', 'full-disk', 'corrupt-database']
  let earlyEnds = 0
  for (const manifest of manifests) {
    const { witness, rounds } = manifest
    const ends = (fault: Fault) => ending.includes(fault.kind) && nodesOf(fault).includes(witness.node)
    const spared = rounds.slice(witness.sparedFromRound)
    assert.ok(spared.length > rounds.length / 3 && witness.sparedFromRound > 0, `seed ${manifest.seed}`)
    assert.ok(!spared.some(({ faults }) => faults.some(ends)), `seed ${manifest.seed}`)
    const damaged = faultsOf(manifest).filter(
      ({ kind }) => kind === 'corrupt-database' || kind === 'full-disk',
    )
    assert.ok(damaged.every((fault) => !nodesOf(fault).includes(witness.node)))
    if (faultsOf(manifest).some(ends)) earlyEnds += 1
  }
  assert.ok(earlyEnds > 0, 'nobody ever ended a witness, before the last two thirds either')
})

test('disks are filled and clocks set only of the nodes that have one for it', () => {
  for (const manifest of manifests) {
    for (const fault of faultsOf(manifest)) {
      if (fault.kind === 'full-disk') assert.deepEqual(fault.nodes, [manifest.smallDisk.node])
      if (fault.kind === 'clock') assert.deepEqual(fault.nodes, [manifest.ownClock.node])
    }
  }
})

test('partitions split all nodes into two groups, and links are between two nodes', () => {
  for (const fault of manifests.flatMap(faultsOf)) {
    if (fault.kind === 'partition') {
      assert.equal(fault.groups.length, 2)
      assert.deepEqual(fault.groups.flat().sort(), [0, 1, 2, 3])
      assert.ok(fault.groups.every(({ length }) => length > 0))
    }
    if ('links' in fault) {
      assert.ok(fault.links.length > 0)
      assert.ok(fault.links.every(({ from, to }) => from !== to && from < 4 && to < 4))
    }
  }
})
