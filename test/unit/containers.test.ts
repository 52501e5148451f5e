// What the container files promise, as far as their text shows it: real containers are tested in test/full.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'

const textOf = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

interface Service {
  readonly image: string
  readonly ports?: readonly string[]
  readonly volumes: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly profiles?: readonly string[]
}

const { services }: { services: Record<string, Service> } = parse(textOf('compose.yaml'), { merge: true })
const nodes = ['node0', 'node1', 'node2', 'node3']

test('compose has four validators on 8080 to 8083 of this machine only, each with its own volume', () => {
  for (const [index, name] of nodes.entries()) {
    assert.deepEqual(services[name]?.ports, [`127.0.0.1:${8080 + index}:8080`])
    assert.deepEqual(services[name]?.volumes, [`${name}:/data`])
  }
})

test('nodes have no capabilities and cannot change their image', () => {
  for (const name of [...nodes, 'bootstrap']) {
    assert.equal(services[name]?.read_only, true)
    assert.deepEqual(services[name]?.cap_drop, ['ALL'])
  }
})

test('no port is open to the world', () => {
  const ports = Object.values(services).flatMap((service) => service.ports ?? [])
  assert.ok(ports.every((port) => port.startsWith('127.0.0.1:')))
})

test('monitoring is a profile with fixed versions, and what it mounts is there', () => {
  for (const name of ['prometheus', 'grafana']) {
    const service = services[name]
    assert.deepEqual(service?.profiles, ['monitoring'])
    assert.match(service?.image ?? '', /:v?\d+\.\d+\.\d+$/)
    for (const volume of service?.volumes ?? []) {
      const [from = ''] = volume.split(':')
      if (from.startsWith('./')) assert.ok(existsSync(new URL(`../../${from}`, import.meta.url)), from)
    }
  }
})

test('Prometheus scrapes the services that compose has', () => {
  const config = parse(textOf('config/prometheus/prometheus.yml'))
  assert.deepEqual(
    config.scrape_configs[0].static_configs[0].targets,
    nodes.map((name) => `${name}:8080`),
  )
})

test('the image runs as no root, tells its health, and copies only what the build reads', () => {
  const dockerfile = textOf('Dockerfile')
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  assert.match(last, /^USER node$/m)
  assert.match(last, /^HEALTHCHECK /m)
  assert.doesNotMatch(dockerfile, /^# *syntax/m)
  assert.match(textOf('.dockerignore'), /^\*$/m)
})
