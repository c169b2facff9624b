/** What a page's whole browser can reach, with the browser's own sandbox on. Needs root, Landlock and Chromium. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { browserProgram, hasUserNamespaces } from '../../../ts/host/launcher/browser.js'
import { treeOf } from '../../../ts/host/launcher/identity.js'
import { probeBoundaries } from '../../../ts/host/limits/probe.js'
import { Users } from '../../../ts/host/limits/users.js'
import { startHost } from '../../../ts/host/start.js'
import { appOn, hostRoot, inState } from '../support/supervised.js'

const held = await probeBoundaries()

function lacking(): string | undefined {
  if (!Users.canChange) return 'only root gives a page a user of its own'
  if (typeof held === 'string' || held.landlock === 'none') return 'this kernel has no Landlock'
  if (!hasUserNamespaces()) return 'ordinary users may make no namespaces here'
  try {
    browserProgram()
    return undefined
  } catch {
    return 'there is no Chromium here'
  }
}

/** Opens a page that takes in a file beside it, and one above it that anybody may read. */
async function opened(t: ExecutionContext, isolation: 'best' | 'none') {
  const root = hostRoot(t)
  chmodSync(root, 0o755)
  const folder = path.join(root, 'page')
  mkdirSync(folder)
  const html = '<script src="inside.js"></script><script src="../outside.js"></script>'
  writeFileSync(path.join(folder, 'index.html'), html)
  writeFileSync(path.join(folder, 'inside.js'), 'globalThis.inside = true')
  writeFileSync(path.join(root, 'outside.js'), 'globalThis.outside = true')
  const url = pathToFileURL(path.join(folder, 'index.html')).href
  const apps = [{ startup_app: { uuid: 'page', name: 'Page', url } }]
  const host = await startHost({ root, manifest: { isolation, apps } })
  t.teardown(() => host.close())
  await inState(host, 'page', 'ready')
  const expression = '[globalThis.inside === true, globalThis.outside === true]'
  const { value } = await host.ask('evaluate', { uuid: 'page', expression })
  return { host, value }
}

const reason = lacking()
if (reason !== undefined) {
  test.skip(`the reach of pages (skipped: ${reason})`, () => undefined)
} else {
  test.serial(
    "a page's browser reaches its own folders, in its own sandbox all the same",
    async (t) => {
      const { host, value } = await opened(t, 'best')
      t.deepEqual(value, [true, false])
      const { pid } = appOn(host, 'page')
      const status = (each: number) => readFileSync(`/proc/${each}/status`, 'latin1')
      const isRenderer = (each: number) =>
        readFileSync(`/proc/${each}/cmdline`, 'latin1').includes('--type=renderer')
      const renderers = treeOf(pid ?? 0).filter(isRenderer)
      t.true(renderers.length > 0)
      for (const each of renderers) {
        t.is(/^Seccomp:\s+(\d+)/m.exec(status(each))?.[1], '2', 'its system calls are filtered')
        const numbers = /^NSpid:\s+(.*)$/m.exec(status(each))?.[1]?.trim().split(/\s+/) ?? []
        t.true(numbers.length > 1, 'it has a namespace of processes of its own')
      }
      await host.shutdown()
    },
  )

  test.serial('without isolation a page takes in what anybody may read', async (t) => {
    const { host, value } = await opened(t, 'none')
    t.deepEqual(value, [true, true])
    await host.shutdown()
  })
}
