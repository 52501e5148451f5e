// The queries of the Grafana dashboards, as Grafana would send them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../config/grafana/dashboards', import.meta.url))

/** `rateInterval`: what Grafana makes of the scrape interval and the panel's width. */
export function dashboardQueries({ rateInterval }: { readonly rateInterval: string }): string[] {
  const expressions: string[] = []
  for (const file of readdirSync(folder)) {
    JSON.parse(readFileSync(join(folder, file), 'utf8'), (key, value) => {
      if (key === 'expr') expressions.push(String(value))
      return value
    })
  }
  return expressions.map((text) =>
    text.replaceAll('$instance', '.*').replaceAll('$__rate_interval', rateInterval),
  )
}
