// Containers for a hostile run, made and removed by Compose: compose.yaml and what differs from it.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { attempt, isThere, run } from './command.ts'
import { fakeTimeLibrary, fakeTimeVariables, writeOffset } from './fake-time.ts'
import type { Manifest } from './manifest.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const image = 'diseq-hostile'
/** As many as compose.yaml has. */
export const validators = 4
/** Where a container sees its clock. */
const clockFolder = '/clock'

/** Compose's part: makes containers and removes them. */
export class Project {
  readonly folder: string
  readonly name = `diseq-hostile-${process.pid}`
  /** Of the first three bytes of the network; nodes are 10 and up. */
  readonly prefix = `10.${200 + (process.pid % 50)}.${Math.floor(process.pid / 50) % 250}`
  readonly #smallDisk: string
  readonly #override: string

  constructor(folder: string, manifest: Manifest) {
    this.folder = folder
    this.#override = join(folder, 'override.yaml')
    for (const name of ['setup', 'bootstrap', 'clock', ...nodeNames()]) mkdirSync(join(folder, name))
    this.#smallDisk = join(folder, `node${manifest.smallDisk.node}`)
    run('mount', ['-t', 'tmpfs', '-o', `size=${manifest.smallDisk.mebibytes}m`, 'none', this.#smallDisk])
    const library = fakeTimeLibrary()
    if (library !== undefined) {
      copyFileSync(library, join(folder, 'clock', 'libfaketime.so'))
      writeOffset(join(folder, 'clock', 'offset'), 0)
    }
    // JSON is YAML.
    writeFileSync(this.#override, JSON.stringify(this.#overrides(manifest, library !== undefined), null, 2))
  }

  containerOf(service: string): string {
    return `${this.name}-${service}-1`
  }

  run(...args: readonly string[]): void {
    const [command = '', ...before] = composeCommand() ?? []
    const files = ['-f', join(root, 'compose.yaml'), '-f', this.#override]
    run(command, [...before, '--project-name', this.name, ...files, ...args])
  }

  remove(): void {
    this.run('down', '--volumes', '--timeout', '1')
    attempt('umount', ['--lazy', this.#smallDisk])
  }

  /** What differs from compose.yaml: fixed addresses, no ports of the machine, nobody but the run restarts a node. */
  #overrides(manifest: Manifest, hasLibrary: boolean): object {
    const service = (address: number, more: object = {}) => ({
      image,
      restart: 'no',
      networks: { default: { ipv4_address: `${this.prefix}.${address}` } },
      ...more,
    })
    const nodes = nodeNames().map((name, index) => {
      const isClocked = index === manifest.ownClock.node && hasLibrary
      const clock = isClocked
        ? fakeTimeVariables(`${clockFolder}/offset`, `${clockFolder}/libfaketime.so`)
        : {}
      const environment = { DISEQ_RATE_LIMIT_PER_SECOND: '0', ...clock }
      const volumes = isClocked ? { volumes: [`${join(this.folder, 'clock')}:${clockFolder}:ro`] } : {}
      return [name, { ...service(10 + index, volumes), environment, healthcheck: { disable: true } }]
    })
    const volumes = ['setup', 'bootstrap', ...nodeNames()].map((name) => [
      name,
      { driver: 'local', driver_opts: { type: 'none', o: 'bind', device: join(this.folder, name) } },
    ])
    return {
      services: { ...Object.fromEntries(nodes), setup: { image }, bootstrap: service(5) },
      networks: { default: { ipam: { config: [{ subnet: `${this.prefix}.0/24` }] } } },
      volumes: Object.fromEntries(volumes),
    }
  }
}

export function nodeNames(): string[] {
  return Array.from({ length: validators }, (_, index) => `node${index}`)
}

/** With BuildKit, or with the older builder where a client came without the former. */
export function buildImage(): void {
  const kit = isThere('docker', 'buildx', 'version') ? '1' : '0'
  run('env', [`DOCKER_BUILDKIT=${kit}`, 'docker', 'build', '--quiet', '--tag', image, root])
}

export function composeCommand(): string[] | undefined {
  const forms = [['docker', 'compose'], ['docker-compose']]
  return forms.find(([command = '', ...args]) => isThere(command, ...args, 'version'))
}
