/** What a manifest is refused for beyond the shape of its values, and how that is said. */
import path from 'node:path'
import test from 'ava'
import { parseManifest, requireScripts } from '../../../ts/host/manifest/manifest.js'
import { projectRoot } from '../../support/child.js'

const MiB = 1024 * 1024
const app = (uuid: string, startup: object = {}, rest: object = {}) => ({
  startup_app: { uuid, name: uuid, script: 'app.mjs', ...startup },
  ...rest,
})
const till = (uuid: string) => app(uuid, { kind: 'terminal', terminal: 'TILL_01' })

const refused: Record<string, [object[], string]> = {
  'a circle of apps': [
    [
      app('a', {}, { dependsOn: ['b'] }),
      app('b', {}, { dependsOn: ['c'] }),
      app('c', {}, { dependsOn: ['a'] }),
    ],
    'manifest: apps: depend on each other in a circle: a -> b -> c -> a',
  ],
  'an app that needs itself': [
    [app('a', {}, { dependsOn: ['a'] })],
    'manifest: apps: depend on each other in a circle: a -> a',
  ],
  'a need of what is not there': [
    [app('a', {}, { dependsOn: ['b'] })],
    'manifest: apps.0.dependsOn: names b, which is no app of this manifest',
  ],
  'two apps of one name': [
    [app('a'), app('a')],
    'manifest: apps.1.startup_app.uuid is "a": is there twice: a',
  ],
  'two apps with one terminal': [
    [till('a'), till('b')],
    'manifest: apps.1.startup_app.terminal is "TILL_01": is the terminal of another app; one process has a terminal',
  ],
  'a soft limit over the hard one': [
    [app('a', {}, { resourceLimits: { maxMemory: 100 * MiB, softMemory: 101 * MiB } })],
    `manifest: apps.0.resourceLimits.softMemory is ${101 * MiB}: must not be more than maxMemory, ${100 * MiB}`,
  ],
  'a limit that no app can live with': [
    [app('a', {}, { resourceLimits: { maxMemory: 95 * MiB } })],
    `manifest: apps.0.resourceLimits.maxMemory is ${95 * MiB}: Too small: expected number to be >=${96 * MiB}`,
  ],
  'a script and an address': [
    [app('a', { url: 'https://shop.example' })],
    'manifest: apps.0.startup_app: must have either url or script',
  ],
  'an address that is none': [
    [app('a', { script: undefined, url: 'not an address' })],
    'manifest: apps.0.startup_app.url is "not an address": must be an address, such as https://shop.example/till',
  ],
  'a terminal without its register': [
    [app('a', { kind: 'terminal' })],
    'manifest: apps.0.startup_app: kind terminal needs terminal, the id of its register',
  ],
}

for (const [what, [apps, message]] of Object.entries(refused)) {
  test(`${what} is refused, with its place, its value and what would do`, (t) => {
    t.throws(() => parseManifest({ apps }, '/'), { code: 'HOST_MANIFEST', message })
  })
}

test('a script that is not there is refused before anything starts', (t) => {
  const folder = path.join(projectRoot, 'examples/host')
  const there = { apps: [app('clock', { script: 'clock.mjs' })] }
  t.notThrows(() => requireScripts(parseManifest(there, folder)))
  for (const script of ['clok.mjs', '.']) {
    const missing = parseManifest({ apps: [...there.apps, app('b', { script })] }, folder)
    const place = path.join(folder, script)
    const message = `manifest: apps.1.startup_app.script is "${place}": there is no such file`
    t.throws(() => requireScripts(missing), { code: 'HOST_MANIFEST', message })
  }
})
