/** Apps and a terminal under a host with all that this machine has: users, reach, groups; and they do their work. */
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { treeOf } from '../../../ts/host/launcher/identity.js'
import { openGovernor } from '../../../ts/host/limits/system.js'
import { Users } from '../../../ts/host/limits/users.js'
import { HostPlace } from '../../../ts/host/place.js'
import { startHost } from '../../../ts/host/start.js'
import { appOf, appOn, hostRoot, inState, member } from '../support/supervised.js'

const till = path.join(fileURLToPath(new URL('.', import.meta.url)), 'apps', 'till.mjs')
const limits = { maxMemory: 256 * 1024 * 1024, maxCPU: 400 }

test.serial(
  'under all its limits and boundaries an app keeps its state and a terminal sells',
  async (t) => {
    const root = hostRoot(t)
    chmodSync(root, 0o755)
    const place = new HostPlace(root)
    const manifest = {
      apps: [
        appOf('one', [], { script: member, resourceLimits: limits }),
        appOf('two', [], { script: member, resourceLimits: limits }),
        appOf('T1', [], { script: till, kind: 'terminal', resourceLimits: limits }),
      ],
    }
    const host = await startHost({ root, manifest })
    t.teardown(() => host.close())
    for (const uuid of ['one', 'two', 'T1']) {
      await Promise.race([
        inState(host, uuid, 'ready'),
        inState(host, uuid, 'quarantined', 'backoff').then(() => {
          const log = readFileSync(place.app(uuid, 'log', 'out.log'), 'utf8')
          throw new Error(`${uuid}: ${appOn(host, uuid).why}: ${log}`)
        }),
      ])
    }
    const { rings } = openGovernor({ place })
    for (const uuid of ['one', 'two', 'T1']) {
      t.deepEqual(appOn(host, uuid).rings, { memory: rings.memory[0], cpu: rings.cpu[0] }, uuid)
    }
    t.true(existsSync(path.join(root, 'terminals', 'T1')))
    if (Users.canChange) {
      const userOf = (uuid: string) => {
        const [pid = 0] = treeOf(appOn(host, uuid).pid ?? 0)
        const text = readFileSync(`/proc/${pid}/status`, 'utf8')
        return {
          uid: Number(/^Uid:\s+(\d+)/m.exec(text)?.[1]),
          capabilities: /^CapEff:\s+(\S+)/m.exec(text)?.[1],
        }
      }
      const [one, two, terminal] = ['one', 'two', 'T1'].map(userOf)
      t.true((one?.uid ?? 0) >= 1_000_000_000)
      t.not(one?.uid, two?.uid)
      t.is(terminal?.uid, statSync(root).uid)
      for (const user of [one, two, terminal]) t.is(user?.capabilities, '0000000000000000')
    }
    // What was kept is there in the next run, under the same user.
    await host.ask('restart', { uuid: 'one' })
    await inState(host, 'one', 'ready')
    await host.close()
    t.deepEqual(
      host.status().apps.map(({ lastEnd }) => lastEnd?.reason),
      ['stopped', 'stopped', 'stopped'],
    )
  },
)
