/** The desktop agent under the supervisor: two Node programs of one host, the second started by an intent. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { agentUuid } from '../../../ts/host/agent/app.js'
import { HostPlace } from '../../../ts/host/place.js'
import { tempFolder, until } from '../../support/bus.js'
import { projectRoot } from '../../support/child.js'
import { listensFor } from '../../support/fdc3.js'

const programs = path.join(projectRoot, '__test__/host/agent/programs')
const canRun = process.platform === 'linux'
if (!canRun) console.error(`SKIPPED: the agent under a host: ${process.platform}`)

;(canRun ? test.serial : test.serial.skip)(
  'apps of a host reach each other through its agent, which the supervisor starts',
  async (t) => {
    t.timeout(180_000)
    const root = tempFolder(t)
    const { startHost } = (await import(
      path.join(projectRoot, 'dist/host/index.js')
    )) as typeof import('../../../ts/host/index.js')
    const host = await startHost({
      root,
      manifest: {
        apps: [
          {
            startup_app: {
              uuid: 'kitchen',
              name: 'Kitchen',
              script: path.join(programs, 'kitchen.mjs'),
            },
            fdc3: { ...listensFor({ ShowOrder: [['till.order'], 'till.receipt'] }) },
            permissions: { read: [projectRoot], store: true },
            start: 'lazy',
          },
          {
            startup_app: {
              uuid: 'counter',
              name: 'Counter',
              script: path.join(programs, 'counter.mjs'),
            },
            fdc3: {},
            permissions: { read: [projectRoot], store: true },
          },
        ],
      },
    })
    t.teardown(() => host.close())
    const place = new HostPlace(root)
    const outcome = place.app('counter', 'data', 'outcome')
    await until('the counter has its receipt', () => existsSync(outcome))
    t.like(JSON.parse(readFileSync(outcome, 'utf8')), {
      source: 'kitchen',
      result: { type: 'till.receipt' },
      own: { appId: 'counter', instanceId: 'counter.1' },
    })
    t.deepEqual(
      host
        .status()
        .apps.map(({ uuid }) => uuid)
        .sort(),
      ['counter', agentUuid, 'kitchen'].sort(),
    )
  },
)
