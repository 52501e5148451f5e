// All ways of lying, by name.
import type { MakeBehaviour } from '../behaviour.ts'
import { batchWithholder } from './batch-withholder.ts'
import { doubleCommitments } from './double-commitments.ts'
import { equivocatingVoter } from './equivocating-voter.ts'
import { garbageSender } from './garbage-sender.ts'
import { idleProdder } from './idle-prodder.ts'
import { lineFiller } from './line-filler.ts'
import { phantomSpammer } from './phantom-spammer.ts'
import { quorumChooser } from './quorum-chooser.ts'
import { replayer } from './replayer.ts'
import { selectiveSender } from './selective-sender.ts'
import { silentLeader } from './silent-leader.ts'
import { slowDrip } from './slow-drip.ts'
import { syncLiar } from './sync-liar.ts'
import { timeLiar } from './time-liar.ts'
import { twin } from './twin.ts'
import { usurper } from './usurper.ts'
import { voteCompleter } from './vote-completer.ts'
import { voteWithholder } from './vote-withholder.ts'

/** The one that needs a second node with the same keys. */
export const twinLie = 'twin'
/** The one under which the network is never idle. */
export const busyLie = 'line-filler'
/** The one that does most in the company of a twin: it takes two proposals of a view. */
export const completerLie = 'vote-completer'

export const lies: Readonly<Record<string, MakeBehaviour>> = {
  [twinLie]: twin,
  'equivocating-voter': equivocatingVoter,
  'double-commitments': doubleCommitments,
  'silent-leader': silentLeader,
  'selective-sender': selectiveSender,
  'vote-withholder': voteWithholder,
  'batch-withholder': batchWithholder,
  'time-liar': timeLiar,
  'phantom-spammer': phantomSpammer,
  'quorum-chooser': quorumChooser,
  replayer,
  'garbage-sender': garbageSender,
  'sync-liar': syncLiar,
  'slow-drip': slowDrip,
  'idle-prodder': idleProdder,
  usurper,
  [busyLie]: lineFiller,
  [completerLie]: voteCompleter,
}

export const lieNames: readonly string[] = Object.keys(lies)
