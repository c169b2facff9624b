/** The one {@link HostApp} of a process. */
import path from 'node:path'
import { hostError } from '../error.js'
import { type Bootstrap, bootstrapVariable, readBootstrap } from './bootstrap.js'
import { bootstrapOfParent } from './electron.js'
import { HostApp } from './host-app.js'

/** How an app meets its host. */
export interface ConnectOptions {
  /**
   * Lets the app run without a host, to try it by hand: it has a state, drains on SIGTERM and SIGINT, and has no bus. Without
   * this, an app that no host started is refused with `HOST_NOT_HOSTED`.
   */
  readonly standalone?: {
    /** The app's own folder; the working folder unless said. */
    readonly dataFolder?: string
    /** For kind `terminal`: the store's folder and the terminal's id. */
    readonly root?: string
    readonly terminal?: string
  }
}

/** The package may be there twice, as source and as bundle; the process is one app all the same. */
const key = Symbol.for('pos-kernel.host.app')
const processWide = globalThis as { [key]?: Promise<HostApp> }

/**
 * Connects this process with the host that started it. Every call gives the same.
 *
 * From here on the host knows how the app is: heartbeats go out by themselves, an error that nobody catches is written
 * down before the process ends with code 70, and the app survives the death of its supervisor.
 *
 * @throws {@link HostError} `HOST_NOT_HOSTED`; `HOST_PROTOCOL` when host and app are of different versions; `HOST_IDENTITY`
 * @example
 * const host = await connectHost()
 * const { value = { ticks: 0 } } = await host.state.restore<{ ticks: number }>()
 * host.state.keep(() => value)
 * host.ready()
 */
export function connectHost(options: ConnectOptions = {}): Promise<HostApp> {
  processWide[key] ??= connect(options).catch((error: unknown) => {
    delete processWide[key]
    throw error
  })
  return processWide[key]
}

async function connect({ standalone }: ConnectOptions): Promise<HostApp> {
  const bootstrap = readBootstrap() ?? (await bootstrapOfParent())
  if (bootstrap !== undefined) {
    const host = new HostApp(bootstrap, true)
    await host.connect()
    return host
  }
  if (standalone === undefined) {
    const message =
      'this process was not started by a host; start it with "pos-kernel host start", or give connectHost the option standalone'
    throw hostError('HOST_NOT_HOSTED', message, { variable: bootstrapVariable })
  }
  return new HostApp(alone(standalone), false)
}

function alone({
  dataFolder = '.',
  root,
  terminal,
}: NonNullable<ConnectOptions['standalone']>): Bootstrap {
  const folder = path.resolve(dataFolder)
  return {
    instance: 'standalone.0',
    token: '',
    uuid: 'standalone',
    sockets: { control: '', bus: '' },
    dataFolder: folder,
    instanceFolder: folder,
    heartbeatMs: 1000,
    hangMs: 0,
    orphanMs: 0,
    kind: terminal === undefined ? 'app' : 'terminal',
    ...(root === undefined ? {} : { root }),
    ...(terminal === undefined ? {} : { terminal }),
    app: {},
  }
}
