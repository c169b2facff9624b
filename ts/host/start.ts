/**
 * A store's host, started in this process: the one call that the command line, a service unit and an embedding
 * program make.
 */
import { agentUuid, isShown, withAgent } from './agent/app.js'
import { AppDirectory } from './agent/directory.js'
import { shellUrl } from './agent/place.js'
import { hostError } from './error.js'
import { ChromiumLauncher } from './launcher/chromium.js'
import type { Launcher } from './launcher/launcher.js'
import { NodeLauncher } from './launcher/node.js'
import { launcherProgram } from './launcher/program.js'
import type { Governor } from './limits/governor.js'
import { openGovernor } from './limits/system.js'
import { type HostManifestInput, parseManifest, requireScripts } from './manifest/manifest.js'
import { HostPlace } from './place.js'
import { brokerUuid } from './supervisor/broker-seat.js'
import type { ControlRequests, ShutdownResult } from './supervisor/control.js'
import { EventLog } from './supervisor/event-log.js'
import { lockHost } from './supervisor/host-lock.js'
import { makeFolder, replaceFile } from './supervisor/records.js'
import type { HostEvent, HostStatus } from './supervisor/status.js'
import { Supervisor } from './supervisor/supervisor.js'

/** What a host is started with. */
export interface HostOptions {
  /** The store's folder. What the host keeps is in `host/` in it. */
  readonly root: string
  /** The apps and what holds for them. */
  readonly manifest: HostManifestInput
  /** The folder that relative paths of the manifest begin at; the working folder unless said. */
  readonly manifestFolder?: string
  /** How apps become processes; the launchers of Node programs and of pages unless said. */
  readonly launchers?: readonly Launcher[]
  /** What holds them to their limits; what this machine has unless said. */
  readonly governor?: Governor
}

/** A host that runs. */
export interface Host {
  /** How the host and each app are now. */
  status(): HostStatus
  /** Hears everything that happens from now on. Gives the function that ends it. */
  follow(listener: (event: HostEvent) => void): () => void
  /** Asks what an operator may ask: `start`, `stop`, `restart` and the others of the control socket. */
  ask<Name extends keyof ControlRequests>(
    name: Name,
    argument: ControlRequests[Name]['argument'],
    options?: { readonly signal?: AbortSignal },
  ): Promise<ControlRequests[Name]['answer']>
  /** Ends all apps in order, then the host. Durable when it resolves: how it went. A second call waits for the first. */
  shutdown(options?: {
    readonly deadlineMs?: number
    readonly reason?: string
  }): Promise<ShutdownResult>
  /** Ends this supervisor alone: the apps go on and the next one takes them over. May be called again. */
  leave(): Promise<void>
  /** Shuts down, unless that was done; resolves when everything is closed. May be called again. */
  close(): Promise<void>
  /** Resolves when the host has ended, by whomever. */
  readonly closed: Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts the host of a store: takes over what runs already, opens the control socket, and starts the apps of the
 * manifest in their order.
 *
 * Resolves when the host answers; apps may still be starting, `status` and `follow` say how far they are.
 *
 * @throws {@link HostError} `HOST_MANIFEST`; `HOST_RUNNING` when the store has a host; `HOST_UNSUPPORTED` when no launcher takes an
 * app, the program `pos-kernel-launch` is not there, or this machine has no locks
 * @example
 * const host = await startHost({
 *   root: './store',
 *   manifest: { apps: [{ startup_app: { uuid: 'clock', name: 'Clock', script: './clock.mjs' } }] },
 * })
 * host.follow(({ text }) => console.log(text))
 * const { instance } = await host.ask('restart', { uuid: 'clock' })
 * console.log(instance, host.status().apps[0]?.state)
 * await host.close()
 */
export async function startHost(options: HostOptions): Promise<Host> {
  const { root, manifestFolder = process.cwd() } = options
  const manifest = parseManifest(options.manifest, manifestFolder)
  requireScripts(manifest)
  for (const { startup_app } of manifest.apps) {
    const { uuid } = startup_app
    if (uuid !== brokerUuid && uuid !== agentUuid) continue
    const message = `manifest: no app may be called ${uuid}; a part of the host is`
    throw hostError('HOST_MANIFEST', message, { path: 'apps', value: uuid })
  }
  // A record of the directory that is none is refused before anything starts.
  AppDirectory.of(manifest.apps)
  const place = new HostPlace(root)
  const pages = new ChromiumLauncher({
    shell: {
      shows: isShown,
      addressOf: ({ instance, token }) => shellUrl(place, instance, token),
    },
  })
  // Where it is missing that is said now, not by each app.
  if (options.launchers === undefined) launcherProgram()
  const { launchers = [new NodeLauncher({ root }), pages] } = options
  makeFolder(place.folder)
  makeFolder(place.file('apps'))
  const lock = await lockHost(place)
  try {
    const governor = options.governor ?? openGovernor({ place })
    const events = new EventLog(place)
    replaceFile(place.file('manifest.json'), options.manifest)
    const supervisor = new Supervisor({
      place,
      manifest: withAgent(manifest),
      launchers,
      governor,
      events,
      key: lock.key,
    })
    try {
      await supervisor.start()
    } catch (error) {
      // What it took over goes on without it, and nothing of it stays behind.
      await supervisor.leave()
      events.close()
      governor.close?.()
      throw error
    }
    return new RunningHost(supervisor, async () => {
      events.close()
      governor.close?.()
      lock.release()
    })
  } catch (error) {
    lock.release()
    throw error
  }
}

class RunningHost implements Host {
  readonly closed: Promise<void>
  readonly #supervisor: Supervisor
  #leaving: Promise<void> | undefined

  constructor(supervisor: Supervisor, release: () => Promise<void>) {
    this.#supervisor = supervisor
    this.closed = supervisor.closed.then(release)
  }

  status(): HostStatus {
    return this.#supervisor.status()
  }

  follow(listener: (event: HostEvent) => void): () => void {
    return this.#supervisor.follow(listener)
  }

  ask<Name extends keyof ControlRequests>(
    name: Name,
    argument: ControlRequests[Name]['argument'],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ControlRequests[Name]['answer']> {
    return this.#supervisor.ask(name, argument, signal)
  }

  async shutdown(
    options: { readonly deadlineMs?: number; readonly reason?: string } = {},
  ): Promise<ShutdownResult> {
    const result = await this.#supervisor.shutdown(options)
    await this.closed
    return result
  }

  async leave(): Promise<void> {
    this.#leaving ??= this.#supervisor.leave()
    await this.#leaving
    await this.closed
  }

  async close(): Promise<void> {
    if (this.#leaving === undefined) await this.shutdown()
    else await this.leave()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
