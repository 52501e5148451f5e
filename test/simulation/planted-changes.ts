// The lines that each planted bug exchanges. Where two layers keep a rule (the core, and the record of what was signed),
// the bug is in both: one alone is caught by the other, which is what it is there for.

import type { FaultGroup } from '../../src/simulation/index.ts'

export interface Change {
  /** Under src/. */
  readonly file: string
  /** Stands there once. */
  readonly from: string
  readonly to: string
}

const record = 'storage/signing-record.ts'
const rules = 'storage/signing-rules.ts'
const driver = 'node/driver.ts'

/** What is of this kind gets a signature and no line in the record. */
function unrecorded(kind: string): Change[] {
  return [
    { file: record, from: '      number += 1\n', to: `      if (request.kind !== '${kind}') number += 1\n` },
    {
      file: record,
      from: '      fresh.push(entry)\n',
      to: `      if (request.kind !== '${kind}') fresh.push(entry)\n`,
    },
  ]
}

const bothOfOneView: Change = {
  file: rules,
  from: 'if (other === undefined) return',
  to: 'if (other === undefined || other !== undefined) return',
}

const changes: Readonly<Record<string, readonly Change[]>> = {
  // Bugs that the node had, planted again (regressions.test.ts).
  'once: listed batch dropped': [
    {
      file: 'node/replica.ts',
      from: 'pooled: (id) => mempool.get(id) ?? this.#listed.get(id)',
      to: 'pooled: (id) => mempool.get(id)',
    },
    { file: 'node/chain-head.ts', from: '.filter((id) => !this.#listed.isKeptAt(id, height))', to: '' },
  ],
  'once: commitment made ahead forgotten': [
    {
      file: driver,
      from: "this.enqueue({ kind: 'start-height', context: this.#options.head.context(), restored }, ...deferred)",
      to: "this.enqueue(...deferred, { kind: 'start-height', context: this.#options.head.context(), restored })",
    },
  ],
  'once: sync believed claims': [
    {
      file: 'sync/block-sync.ts',
      from: '!isBusy && finalHeight >= range.from)',
      to: '!isBusy && finalHeight >= range.from + range.count - 1)',
    },
  ],
  'once: sync took batches in any order': [
    {
      file: 'node/block-work.ts',
      from: 'batchIds.length !== final.batches.length || batchIds.some((id, at) => id !== final.batches[at]?.id)',
      to: 'batchIds.length !== final.batches.length',
    },
  ],
  'vote-before-sync': [
    {
      file: record,
      from: 'await this.#write(() => this.#options.file.append(lines))',
      to: 'void this.#write(() => this.#options.file.append(lines)).catch(() => undefined)',
    },
  ],
  'proposal-not-persisted': unrecorded('proposal'),
  'pool-commitment-not-persisted': unrecorded('pool-commitment'),
  'nullify-not-persisted': unrecorded('nullify'),
  'notarize-not-persisted': unrecorded('notarize'),
  'batch-lost-after-commitment': [
    { file: 'node/pool-commitments.ts', from: '      basis.addBatch(batch, receivedAt)\n', to: '' },
  ],
  'proposal-lost-after-notarize': [
    { file: 'node/signing-basis.ts', from: "    this.#frames.push({ kind: 'block', block })\n", to: '' },
  ],
  'quorum-off-by-one': [
    {
      file: 'quorum/quorum.ts',
      from: 'powerTotal - faultyMax\n',
      to: 'Math.max(1, powerTotal - faultyMax - 1)\n',
    },
    { file: 'quorum/quorum.ts', from: 'if (2 * quorum - powerTotal <= lyingMax)', to: 'if (lyingMax < 0)' },
  ],
  'nullify-after-finalize': [
    {
      file: 'consensus/voting.ts',
      from: 'view.own.finalize !== undefined || view.own.nullify',
      to: 'view.own.nullify',
    },
    bothOfOneView,
  ],
  'finalize-after-nullify': [
    { file: 'consensus/voting.ts', from: ' || own.nullify || own.finalize', to: ' || own.finalize' },
    bothOfOneView,
  ],
  'missing-notarization-justification': [
    {
      file: 'consensus/voting.ts',
      from: 'if (proposed.madeIn < proposed.view && view?.notarization?.blockId === proposed.blockId) return true',
      to: 'if (proposed.madeIn < proposed.view) return true',
    },
    {
      file: 'consensus/proposing.ts',
      from: '    justification.unshift(certificate)\n',
      to: '    justification.unshift(certificate)\n    if (view?.proposal !== undefined) return { repeat: view.proposal.blockId, justification }\n',
    },
  ],
  'missing-nullification-justification': [
    {
      file: 'consensus/voting.ts',
      from: 'if (view?.nullification === undefined) return false',
      to: 'if (view?.nullification === undefined) continue',
    },
    {
      file: 'consensus/proposing.ts',
      from: 'const certificate = view?.notarization ?? view?.nullification\n',
      to: 'const certificate = view?.nullification\n',
    },
    {
      file: 'consensus/proposing.ts',
      from: "if (certificate === undefined) return 'unknown'",
      to: 'if (certificate === undefined) continue',
    },
    {
      file: 'consensus/proposing.ts',
      from: "certificate.kind === 'notarization'",
      to: "(certificate.kind as string) === 'notarization'",
    },
  ],
  'next-commitment-lists-this-height': [
    {
      file: 'node/pool-commitments.ts',
      from: 'if (assuming === undefined) return new Set()',
      to: 'if (assuming !== null) return new Set()',
    },
  ],
  'fair-time-as-maximum': [
    {
      file: 'sequencing/order.ts',
      from: 'if (exceedsFaulty(thresholds, power)) return reception.receivedAt\n',
      to: 'if (exceedsFaulty(thresholds, power)) return receptions.at(-1)?.receivedAt\n',
    },
  ],
  'duplicate-id-not-skipped': [
    {
      file: 'node/execution.ts',
      from: 'isMessageInChain: (id) => known.has(id)',
      to: 'isMessageInChain: (id) => known.has(id) && false',
    },
  ],
  'timer-not-growing': [
    { file: 'node/core-timers.ts', from: 'firstViewMs * 2 ** growth', to: 'pace.viewTimeoutMs' },
  ],
  'sync-not-verifying': [
    {
      file: 'node/replica.ts',
      from: 'const verified = verifier.verifyFinalBlock(received)\n',
      to: 'const verified = { ok: verifier !== undefined, detail: "" }\n',
    },
  ],
  'certificate-not-forwarded': [
    {
      file: driver,
      from: "          transport.publish({ kind: 'certificate', certificate: output.certificate })\n",
      to: '',
    },
  ],
  'restart-with-old-record': [
    {
      file: record,
      from: 'if ((recordNumber ?? 0) >= databaseNumber) return undefined',
      to: 'if (databaseNumber >= 0) return undefined',
    },
  ],
  'line-without-share-for-the-rest': [
    {
      file: 'sequencing/entries.ts',
      from: 'takeFromLine(Math.floor(entriesMax / 2))',
      to: 'takeFromLine(entriesMax)',
    },
  ],
  'order-by-clamped-time': [
    {
      file: 'sequencing/order.ts',
      from: 'receptions.sort((a, b)',
      to: 'for (const [at, each] of receptions.entries()) receptions[at] = { ...each, receivedAt: Math.min(each.receivedAt, clampMs) }\n  receptions.sort((a, b)',
    },
    {
      file: 'sequencing/order.ts',
      from: '  const ordered: OrderedBatch[] = []\n',
      to: '  const times = commitments.map(({ time }) => time).sort((a, b) => a - b)\n  clampMs = times[Math.floor((times.length - 1) / 2)] ?? 0\n  const ordered: OrderedBatch[] = []\n',
    },
    {
      file: 'sequencing/order.ts',
      from: '\nfunction fairTimeOf(',
      to: '\nlet clampMs = 0\nfunction fairTimeOf(',
    },
  ],
  'answered-before-disk': [
    {
      file: 'node/submission.ts',
      from: 'await isSaved\n',
      to: 'void isSaved\n',
    },
  ],
  'pool-wiped-after-block': [
    {
      file: 'mempool/mempool.ts',
      from: '    kill(messageIds)\n',
      to: '    kill(messageIds)\n    for (const entry of [...this.#entries.values()]) leave(entry)\n',
    },
  ],
  'view-certificate-not-persisted': [
    {
      file: driver,
      from: '          this.#basis.addCertificate(output.certificate)\n',
      to: '',
    },
  ],
  'listed-batches-not-fetched': [
    {
      file: 'node/batch-fetcher.ts',
      from: '    if (this.#isStopped) return\n    const { height, holders',
      to: '    if (!this.#isStopped) return\n    const { height, holders',
    },
  ],
  'own-votes-not-pushed-again': [
    { file: 'node/exchange.ts', from: 'pushed: ownFrames(core)', to: 'pushed: ownFrames(core).slice(0, 0)' },
    {
      file: 'node/height-view.ts',
      from: "for (const [validator, vote] of votes) if (!held?.includes(validator)) frames.push({ kind: 'vote', vote })",
      to: "for (const [validator, vote] of []) if (!held?.includes(validator)) frames.push({ kind: 'vote', vote })",
    },
  ],
  'one-lister-is-enough': [
    {
      file: 'sequencing/order.ts',
      from: 'if (exceedsFaulty(thresholds, power)) return reception.receivedAt\n',
      to: 'if (exceedsFaulty(thresholds, power) || power > 0) return reception.receivedAt\n',
    },
  ],
  'view-timer-on-any-vote': [
    {
      file: 'consensus/step.ts',
      from: '!exceedsLying(thresholds, powerOf(powers, state.votersSeen))',
      to: 'state.votersSeen.size === 0',
    },
  ],
  'expired-not-skipped': [
    {
      file: 'sequencing/content.ts',
      from: 'if (isNew && !isExpired(message, height) && ',
      to: 'if (isNew && ',
    },
  ],
  'checkpoint-before-its-pages': [
    { file: 'storage/chain-store.ts', from: 'await this.store.pages.sync()\n', to: '' },
  ],
  'cleaned-page-lost': [
    {
      file: 'trie/stored-trie.ts',
      from: 'if (!this.#dead.has(id)) this.#reclaim(id, bytes)\n',
      to: '',
    },
  ],
  'leader-not-checked': [
    {
      file: 'consensus/step.ts',
      from: 'if (proposal.leader !== leaderOf(state.context.leaders, proposal.view)) return\n',
      to: '',
    },
    {
      file: 'consensus/step.ts',
      from: 'const isByLeader = block.header.leader === leaderOf(state.context.leaders, block.header.view)',
      to: 'const isByLeader = block.header.leader >= 0',
    },
    {
      file: 'consensus/proposing.ts',
      from: 'if (state.config.self !== leaderOf(state.context.leaders, state.view) || state.finalization !== undefined)',
      to: 'if (state.config.self === undefined || state.finalization !== undefined)',
    },
  ],
}

interface Search {
  readonly faults: readonly FaultGroup[]
  readonly lies?: readonly string[]
}

const everything: Search = { faults: ['network', 'crash', 'disk', 'clock', 'liars'] }
const crashes: Search = { faults: ['crash', 'network'] }
/** Where a bug shows in runs with some faults only, it is searched for in those. */
const searches: Readonly<Record<string, Search>> = {
  'once: listed batch dropped': { faults: ['liars'], lies: ['equivocating-voter'] },
  'once: commitment made ahead forgotten': { faults: ['crash'] },
  'once: sync believed claims': { faults: ['liars', 'crash'], lies: ['sync-liar'] },
  'once: sync took batches in any order': { faults: ['liars', 'crash'], lies: ['sync-liar'] },
  'vote-before-sync': crashes,
  'proposal-not-persisted': crashes,
  'notarize-not-persisted': { faults: ['crash', 'liars'], lies: ['twin'] },
  'nullify-not-persisted': crashes,
  'proposal-lost-after-notarize': crashes,
  'answered-before-disk': crashes,
  'view-certificate-not-persisted': {
    faults: ['crash', 'liars'],
    lies: ['twin', 'vote-completer'],
  },
  'batch-lost-after-commitment': { faults: ['crash', 'liars'], lies: ['batch-withholder'] },
  'finalize-after-nullify': crashes,
  'nullify-after-finalize': crashes,
  'missing-notarization-justification': crashes,
  'missing-nullification-justification': crashes,
  'own-votes-not-pushed-again': crashes,
  'restart-with-old-record': { faults: ['disk'] },
  'timer-not-growing': { faults: ['network'] },
  'line-without-share-for-the-rest': { faults: ['liars'], lies: ['line-filler'] },
  'sync-not-verifying': { faults: ['liars', 'crash'], lies: ['sync-liar'] },
  'order-by-clamped-time': { faults: ['clock', 'liars'] },
  'checkpoint-before-its-pages': { faults: ['crash'] },
}

export function searchedIn(name: string): Search {
  return searches[name] ?? everything
}

/** @throws Error for a name that has none. */
export function changesOf(name: string): readonly Change[] {
  const found = changes[name]
  if (found === undefined) throw new Error(`no change is written down for the bug ${name}`)
  return found
}
