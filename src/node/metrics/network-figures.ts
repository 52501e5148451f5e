// The network's counters, which are plain names, as families with labels: `frames_in_vote` is a frame, in, of kind vote.

export interface Figure {
  readonly family: NetworkFamily
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The families, with their labels and what they count. */
export const networkFamilies = {
  diseq_network_frames_total: {
    labels: ['direction', 'kind'],
    help: 'Frames (votes, batches, …) that were sent, or came in and were verified',
  },
  diseq_network_frames_refused_total: {
    labels: ['verdict', 'reason'],
    help: 'Frames that came in and were ignored (harmless) or rejected (no honest node sends them)',
  },
  diseq_network_frames_dropped_total: {
    labels: ['reason'],
    help: 'Frames that were not sent, for lack of room in a queue',
  },
  diseq_network_bytes_total: { labels: ['way'], help: 'Bytes of frames and replies, by the way they went' },
  diseq_network_requests_total: {
    labels: ['event', 'protocol'],
    help: 'Requests to peers (out, failed; invalid_reply: no honest peer gives it) and of peers (in, refused, unanswered; invalid: no honest peer sends it)',
  },
  diseq_network_events_total: { labels: ['event'], help: 'All else that the network counts' },
} as const

export type NetworkFamily = keyof typeof networkFamilies

const patterns: readonly (readonly [
  RegExp,
  NetworkFamily,
  (match: readonly string[]) => Record<string, string>,
])[] = [
  [
    /^frames_(in|out)_(?!again)(.+)$/,
    'diseq_network_frames_total',
    ([, direction = '', kind = '']) => ({ direction, kind }),
  ],
  [
    /^(ignored|rejected)_(.+)$/,
    'diseq_network_frames_refused_total',
    ([, verdict = '', reason = '']) => ({ verdict, reason }),
  ],
  [/^dropped_(.+)$/, 'diseq_network_frames_dropped_total', ([, reason = '']) => ({ reason })],
  [
    /^(?:(.+)_)?bytes_(in|out)$/,
    'diseq_network_bytes_total',
    ([, way = 'all', direction = '']) => ({
      way: `${way}_${direction}`,
    }),
  ],
  [
    /^requests_(in|out|failed|refused|unanswered|invalid)_(.+)$/,
    'diseq_network_requests_total',
    ([, event = '', protocol = '']) => ({ event, protocol }),
  ],
  [
    /^replies_invalid_(.+)$/,
    'diseq_network_requests_total',
    ([, protocol = '']) => ({ event: 'invalid_reply', protocol }),
  ],
]

export function networkFigures(counters: Readonly<Record<string, number>>): Figure[] {
  return Object.entries(counters).map(([name, value]) => {
    for (const [pattern, family, labelsOf] of patterns) {
      const match = pattern.exec(name)
      if (match !== null) return { family, labels: labelsOf(match), value }
    }
    return { family: 'diseq_network_events_total', labels: { event: name }, value }
  })
}
