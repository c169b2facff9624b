/** What a launcher lacks: refused where isolation is required, else not ordered and said. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { isHostError } from '../../../ts/host/error.js'
import { electronLacks } from '../../../ts/host/launcher/electron-parts.js'
import { lackingOf } from '../../../ts/host/launcher/launcher.js'
import type { Means } from '../../../ts/host/limits/probe.js'
import { openGovernor, type SystemGovernor } from '../../../ts/host/limits/system.js'
import { type AppManifest, parseManifest } from '../../../ts/host/manifest/manifest.js'
import { HostPlace } from '../../../ts/host/place.js'

const script = fileURLToPath(new URL('../launcher/apps/utility.mjs', import.meta.url))
const MiB = 1024 * 1024

function governorFor(t: ExecutionContext, only: Means): SystemGovernor {
  const root = mkdtempSync(path.join(os.tmpdir(), 'pk-lacks-'))
  // Users of apps come through here.
  chmodSync(root, 0o755)
  const governor = openGovernor({ place: new HostPlace(root), only })
  t.teardown(() => {
    governor.close()
    rmSync(root, { recursive: true, force: true })
  })
  return governor
}

function app(resourceLimits: object = {}): AppManifest {
  const startup = { uuid: 'a', name: 'a', script }
  const { apps } = parseManifest({ apps: [{ startup_app: startup, resourceLimits }] }, '/')
  return apps[0] as AppManifest
}

test('what is lacked is refused by its name where isolation is required', async (t) => {
  const governor = governorFor(t, 'rlimit')
  const limited = app({ maxFiles: 100 })
  const error = await t.throwsAsync(governor.prepare(limited, 'a.1', 'required', electronLacks))
  if (!isHostError(error, 'HOST_LIMIT_UNSUPPORTED')) return t.fail(String(error))
  t.is(error.facts.uuid, 'a')
  // Without root there is no user to lack, and that alone is refused before.
  const isRoot = process.getuid?.() === 0
  const named = isRoot ? ['user', 'reach', 'files'] : ['user']
  for (const part of named)
    t.true(String(error.facts.limit).split(', ').includes(part), String(error.facts.limit))
  t.true(!isRoot || error.message.includes('maxFiles'), error.message)
})

test('else it is not ordered, and there is a sentence for each part', async (t) => {
  const governor = governorFor(t, 'rlimit')
  const limited = app({ maxFiles: 100, maxCPU: 20, maxMemory: 200 * MiB })
  const hold = await governor.prepare(limited, 'a.1', 'best', electronLacks)
  const whole = await governor.prepare(limited, 'a.1', 'best')
  t.deepEqual(lackingOf({ lacks: electronLacks }, hold.confinement), [])
  const parts = lackingOf({ lacks: electronLacks }, whole.confinement)
  t.true(['reach', 'files', 'cpuPercent'].every((part) => parts.some((one) => one === part)))
  for (const part of parts)
    t.true(
      hold.boundaries?.missing.some((sentence) => sentence.startsWith(`${part}: `)),
      part,
    )
  t.is(hold.confinement.dataBytes, whole.confinement.dataBytes)
  t.like(hold.boundaries, { user: 'same', reach: false })
  t.deepEqual(hold.rings, { memory: 'rlimit', cpu: 'none' })
  t.is(whole.rings.cpu, 'launcher')
  await hold.remove()
  await whole.remove()
})

test('a limit that only a launcher that looks would hold is held by nothing', async (t) => {
  const governor = governorFor(t, 'poll')
  const limited = app({ maxMemory: 200 * MiB })
  const hold = await governor.prepare(limited, 'a.1', 'best', electronLacks)
  t.is(hold.confinement.pollBytes, undefined)
  t.deepEqual(hold.rings, { memory: 'none', cpu: 'none' })
  await hold.remove()
})
