// Bugs that are planted on purpose, to know that the simulator can fail. The list was written down before the first of
// them was searched for; each has to be found. They live in tests only.

export interface PlantedBug {
  readonly name: string
  /** What is wrong with the node that has it. */
  readonly wrong: string
  /** The rule of the protocol that it breaks. */
  readonly breaks: string
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'vote-before-sync',
    wrong: 'signatures are sent before the record that holds them is durable',
    breaks: 'no honest validator contradicts itself across a crash (6.2)',
  },
  {
    name: 'proposal-not-persisted',
    wrong: 'a leader does not record that it proposed, and proposes again after a restart',
    breaks: 'two proposals of a view (6.2)',
  },
  {
    name: 'batch-lost-after-commitment',
    wrong: 'the batches that a pool commitment lists are not on disk when it is sent',
    breaks: 'what more than f list can be served (3, on disk before the wire)',
  },
  {
    name: 'proposal-lost-after-notarize',
    wrong: 'the block and its batches are not on disk when notarize is sent',
    breaks: 'what is notarized can be served (3, on disk before the wire)',
  },
  { name: 'quorum-off-by-one', wrong: 'a quorum is one less', breaks: 'agreement (6.1)' },
  {
    name: 'nullify-after-finalize',
    wrong: 'nullify is cast in a view in which finalize was',
    breaks: 'finalize and nullify of one view (6.2)',
  },
  {
    name: 'finalize-after-nullify',
    wrong: 'finalize is cast in a view in which nullify was',
    breaks: 'finalize and nullify of one view (6.2)',
  },
  {
    name: 'missing-notarization-justification',
    wrong: 'a repeated block is voted for without a notarization of it',
    breaks: 'agreement (6.1): a block repeated out of nothing displaces the notarized one',
  },
  {
    name: 'missing-nullification-justification',
    wrong: 'a fresh block is voted for without the nullifications of the views below',
    breaks: 'agreement (6.1)',
  },
  {
    name: 'pool-commitment-not-persisted',
    wrong: 'a pool commitment is not recorded, and another one is made after a restart',
    breaks: 'two pool commitments of a height (6.2)',
  },
  {
    name: 'next-commitment-lists-this-height',
    wrong: 'the commitment for h+1 lists the batches of block h',
    breaks: 'while there is work, collecting costs no time; no empty blocks (3.1)',
  },
  {
    name: 'fair-time-as-maximum',
    wrong: 'the fair time of a batch is the latest time listed',
    breaks: 'order (3.3)',
  },
  {
    name: 'duplicate-id-not-skipped',
    wrong: 'a message id that is in the chain is put into it again',
    breaks: 'exactly once (6.4)',
  },
  {
    name: 'timer-not-growing',
    wrong: 'the timers of later views are as short as that of view 0',
    breaks: 'liveness (6.6) where views are short for the network',
  },
  {
    name: 'sync-not-verifying',
    wrong: 'block sync believes what a peer sends',
    breaks: 'agreement (6.1) with a liar in block sync',
  },
  {
    name: 'certificate-not-forwarded',
    wrong: 'a certificate is not sent on when it is first seen',
    breaks: 'liveness within a bound of views (6.6)',
  },
  {
    name: 'restart-with-old-record',
    wrong: 'a signing record older than the database is signed with',
    breaks: 'no honest validator contradicts itself (6.2)',
  },
  {
    name: 'nullify-not-persisted',
    wrong: 'nullify is not recorded, and finalize may follow after a restart',
    breaks: 'finalize and nullify of one view (6.2)',
  },
  {
    name: 'notarize-not-persisted',
    wrong: 'notarize is not recorded, and another may follow after a restart',
    breaks: 'two notarize votes of a view (6.2)',
  },
  {
    name: 'line-without-share-for-the-rest',
    wrong: 'the line may take all places of a commitment',
    breaks: 'no honest batch is shut out while a liar fills the line (3.1)',
  },
  {
    name: 'order-by-clamped-time',
    wrong: 'the order uses times that are at most the block time',
    breaks: 'order (3.3)',
  },
  {
    name: 'answered-before-disk',
    wrong: 'a message is answered for before its batch is durable',
    breaks: 'what is answered 202 is final once (6.4)',
  },
  {
    name: 'pool-wiped-after-block',
    wrong: 'a final block empties the pool, as the original did',
    breaks: 'what is answered 202 is final once (6.4)',
  },
  {
    name: 'view-certificate-not-persisted',
    wrong: 'the certificate by which a view was entered is not on disk when its first signature is sent',
    breaks: 'liveness after restarts (3, on disk before the wire)',
  },
  {
    name: 'listed-batches-not-fetched',
    wrong: 'a batch that a block needs and that gossip lost is not asked for',
    breaks: 'liveness (6.6)',
  },
  {
    name: 'own-votes-not-pushed-again',
    wrong: 'votes that gossip lost are not sent again',
    breaks: 'liveness (6.6)',
  },
  {
    name: 'one-lister-is-enough',
    wrong: 'a batch that power of f or less lists is in the block',
    breaks: 'what is in a block can be served (3.3)',
  },
  {
    name: 'view-timer-on-any-vote',
    wrong: 'the timer of view 0 starts with the vote of a liar',
    breaks: 'an idle chain makes no blocks (3.6)',
  },
  {
    name: 'expired-not-skipped',
    wrong: 'a message is put into a block above its expiresAt',
    breaks: 'expiry (3.3)',
  },
  {
    name: 'leader-not-checked',
    wrong: 'a proposal of anybody is voted for',
    breaks: 'the leader is a function of the chain (3.2)',
  },
  // Written down when the trie's pages came into a log of their own, before they were searched for.
  {
    name: 'checkpoint-before-its-pages',
    wrong: 'a checkpoint of the trie is named before its pages are durable',
    breaks: 'what is on disk is whole after a crash (D1)',
  },
  {
    name: 'cleaned-page-lost',
    wrong: 'the oldest part of the log of pages is let go with what the trie still has of it',
    breaks: 'the state can be read (5)',
  },
]
