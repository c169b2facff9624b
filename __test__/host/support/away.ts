import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import type { HostManifestInput } from '../../../ts/host/manifest/manifest.js'
import { HostPlace } from '../../../ts/host/place.js'
import type { ControlRequests } from '../../../ts/host/supervisor/control.js'
import { Operator } from '../../../ts/host/supervisor/operator.js'
import { openRuns, type RunRecord } from '../../../ts/host/supervisor/records.js'
import type { AppStatus } from '../../../ts/host/supervisor/status.js'
import { projectRoot } from '../../support/child.js'
import { hostRoot } from './supervised.js'

/** A supervisor in a process of its own, which a test may kill. */
export class Away {
  readonly root: string
  readonly place: HostPlace
  #child: ChildProcess | undefined
  #operator: Operator | undefined

  constructor(t: ExecutionContext, manifest: HostManifestInput, root = hostRoot(t)) {
    this.root = root
    this.place = new HostPlace(this.root)
    writeFileSync(path.join(this.root, 'manifest.json'), JSON.stringify(manifest))
    t.teardown(() => this.kill())
  }

  async start(): Promise<{ readonly epoch: number; readonly adopted: number }> {
    const program = path.join(projectRoot, 'bench/host/supervise-child.mjs')
    const args = [program, this.root, path.join(this.root, 'manifest.json')]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    const [line] = await once(child.stdout, 'data')
    return JSON.parse(String(line))
  }

  async ask<Name extends keyof ControlRequests>(
    name: Name,
    argument: ControlRequests[Name]['argument'],
  ): Promise<ControlRequests[Name]['answer']> {
    this.#operator ??= await Operator.connect(this.root)
    return this.#operator.ask(name, argument, { timeoutMs: 30_000 })
  }

  async apps(): Promise<readonly AppStatus[]> {
    return (await this.ask('status', {})).apps
  }

  /** Runs of an app that are kept and have not ended. */
  runs(uuid: string): RunRecord[] {
    return openRuns(this.place)
      .filter((run) => run.uuid === uuid)
      .flatMap(({ record }) => (record === undefined ? [] : [record]))
  }

  /** Waits for a fact of a status. */
  async until(look: (apps: readonly AppStatus[]) => boolean): Promise<readonly AppStatus[]> {
    const end = performance.now() + 30_000
    for (;;) {
      const apps = await this.apps()
      if (look(apps)) return apps
      if (performance.now() > end) throw new Error(`waited in vain: ${JSON.stringify(apps)}`)
      await delay(5)
    }
  }

  async kill(): Promise<void> {
    this.#operator?.close()
    this.#operator = undefined
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  ended(): Promise<unknown> {
    return this.#child === undefined ? Promise.resolve() : once(this.#child, 'exit')
  }
}
