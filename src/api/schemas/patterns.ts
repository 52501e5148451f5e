// Forms of parameters. Paths and queries are text: nothing is coerced, so their form is what a schema checks.

export const patterns = {
  hash: '^[0-9a-f]{64}$',
  /** Fifteen digits stay below what a double holds exactly. */
  number: '^(0|[1-9][0-9]{0,14})$',
  positive: '^[1-9][0-9]{0,14}$',
  heightOrLatest: '^(latest|0|[1-9][0-9]{0,14})$',
} as const
