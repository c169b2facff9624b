/** The guide of the bus does what it says: its apps run under a host, with the broker as its child. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { launcherProgram } from '../../../ts/host/launcher/program.js'
import type { HostManifestInput } from '../../../ts/host/manifest/manifest.js'
import { startHost } from '../../../ts/host/start.js'
import { projectRoot } from '../../support/child.js'
import { plainGovernor } from '../support/plain-governor.js'
import { appOn, hostRoot, inState, kill, until } from '../support/supervised.js'

const guide = readFileSync(path.join(projectRoot, 'docs/guide/messages-between-apps.md'), 'utf8')

function blocks(language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm')
  return [...guide.matchAll(fence)].map(([, code]) => code ?? '')
}

function hasLauncher(): boolean {
  try {
    launcherProgram()
    return true
  } catch {
    return false
  }
}

const check = hasLauncher() ? test.serial : test.serial.skip

check(
  'the apps of the guide say to each other what the guide says, and go on when the broker is killed',
  async (t) => {
    const root = hostRoot(t)
    const folder = path.join(root, 'apps')
    mkdirSync(path.join(folder, 'node_modules'), { recursive: true })
    writeFileSync(path.join(folder, 'package.json'), '{"private":true}')
    symlinkSync(projectRoot, path.join(folder, 'node_modules/pos-kernel'))
    const programs = new Map(
      blocks('ts').flatMap((code) => {
        const name = /^\/\/ (\w+\.mjs)\n/.exec(code)?.[1]
        return name === undefined ? [] : [[name, code] as const]
      }),
    )
    for (const [name, code] of programs) writeFileSync(path.join(folder, name), code)
    const [text = ''] = blocks('json')
    const { apps } = JSON.parse(text) as HostManifestInput
    const manifest = {
      apps: apps.map((app) => ({
        ...app,
        startup_app: {
          ...app.startup_app,
          script: path.join(folder, app.startup_app.script ?? ''),
        },
      })),
    }
    const host = await startHost({ root, manifest, governor: plainGovernor })
    t.teardown(() => host.close())
    await inState(host, 'board', 'ready')
    await inState(host, 'prices', 'ready')
    const said = () =>
      readFileSync(path.join(root, 'host/apps/board/log/out.log'), 'utf8').trim().split('\n')
    const printed = [
      ...(programs.get('board.mjs') ?? '').matchAll(/console\.log\(.*\) \/\/ (.*)$/gm),
    ]
    t.is(printed.length, 2)
    const expected = printed.map(([, line]) => line)
    await until(() => said().length >= 2, 'both lines')
    t.deepEqual(said(), expected)

    const { broker } = host.status()
    kill(broker.pid)
    await until(() => host.status().broker.restarts > broker.restarts, 'another broker')
    await until(() => host.status().broker.state === 'ready', 'the broker to be ready')
    const { instance } = appOn(host, 'prices')
    await host.ask('restart', { uuid: 'board' })
    await until(() => said().length >= 4, 'both lines again')
    t.regex(said()[2] ?? '', /"price":330,"asked":"board\.2"/)
    t.is(appOn(host, 'prices').instance, instance, 'it went on without a broker')
  },
)
