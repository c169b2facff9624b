/**
 * `pos-kernel/host/fdc3`: FDC3 2.2 for a Node program of the host.
 *
 * `getAgent` gives the official client of the standard, the `DesktopAgentProxy` of `@finos/fdc3-agent-proxy`,
 * unchanged: its messages go over the bus to the host's desktop agent instead of a window's message port. When the
 * agent or the broker was restarted, the connection registers its listeners again; see `session.ts`.
 *
 * In a page nothing of this is needed: there the official `getAgent` of `@finos/fdc3-get-agent` finds the host's agent by
 * itself.
 */
import type { DesktopAgent, LogLevel } from '@finos/fdc3-standard'
import type { Bus } from '../bus/bus.js'
import { hostError } from '../error.js'
import { BusLink, BusMessaging } from './bus-link.js'
import {
  DefaultAppSupport,
  DefaultChannelSupport,
  DefaultHeartbeatSupport,
  DefaultIntentSupport,
  DesktopAgentProxy,
} from './proxy.js'

export type { DesktopAgent } from '@finos/fdc3-standard'

/** Choices of {@link getAgent}. */
export interface GetAgentOptions {
  /** The app's place on the bus of its host; that of this process unless said. */
  readonly bus?: Bus
  /** Milliseconds to wait for an agent; 10,000 unless said. */
  readonly timeoutMs?: number
  /** Milliseconds to wait for the answer to a call; 10,000 unless said. */
  readonly messageExchangeTimeout?: number
  /** Milliseconds to wait where a call may start an app; 100,000 unless said, at least 15,000. */
  readonly appLaunchTimeout?: number
}

/** A desktop agent that says good-bye when it is closed. */
export type ConnectedAgent = DesktopAgent & {
  /** Leaves the agent: listeners are gone, others see the instance go. The bus stays. */
  disconnect(): Promise<void>
}

/**
 * Connects a Node program to the desktop agent of its host.
 *
 * @throws HostError `HOST_NOT_HOSTED` where no host started this process; `HOST_TIMED_OUT` where no agent answers in time; `HOST_FORBIDDEN` where the manifest has no such app
 * @example
 * const fdc3 = await getAgent()
 * await fdc3.joinUserChannel('fdc3.channel.1')
 * await fdc3.addContextListener('fdc3.product', (product) => console.log(product.name))
 */
export async function getAgent(options: GetAgentOptions = {}): Promise<ConnectedAgent> {
  const {
    timeoutMs = 10_000,
    messageExchangeTimeout = 10_000,
    appLaunchTimeout = 100_000,
  } = options
  const bus = options.bus ?? (await busOfThisProcess())
  const link = new BusLink(bus)
  const identity = await inTime(link, timeoutMs)
  const messaging = new BusMessaging(link, identity)
  const heartbeat = new DefaultHeartbeatSupport(messaging)
  const channels = new DefaultChannelSupport(messaging, noSelector, messageExchangeTimeout)
  const intents = new DefaultIntentSupport(
    messaging,
    noResolver,
    messageExchangeTimeout,
    appLaunchTimeout,
  )
  const apps = new DefaultAppSupport(messaging, messageExchangeTimeout, appLaunchTimeout)
  const proxy = new DesktopAgentProxy(heartbeat, channels, intents, apps, [heartbeat], logErrors)
  await proxy.connect()
  return proxy as unknown as ConnectedAgent
}

async function busOfThisProcess(): Promise<Bus> {
  const { connectHost } = await import('../app/connect.js')
  return (await connectHost()).bus()
}

/** Of the client's levels of log output: only errors. */
const logErrors = 1 as LogLevel

/** A Node program shows no selector: whoever moves it does so at the agent. */
const noSelector = {
  connect: async () => undefined,
  disconnect: async () => undefined,
  updateChannel: async () => undefined,
  setChannelChangeCallback: () => undefined,
}

/** The agent asks whoever decides; an answer that leaves it to the app does not come. */
const noResolver = {
  connect: async () => undefined,
  disconnect: async () => undefined,
  chooseIntent: async () => undefined,
}

async function inTime(
  link: BusLink,
  timeoutMs: number,
): Promise<{ appId: string; instanceId: string }> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const why = 'a host has one when an app of its manifest has a part "fdc3"'
      const message = `no desktop agent answered within ${timeoutMs} ms; ${why}`
      reject(hostError('HOST_TIMED_OUT', message, { method: 'getAgent', timeoutMs }))
    }, timeoutMs)
  })
  try {
    return await Promise.race([link.identity, late])
  } catch (error) {
    link.close()
    throw error
  } finally {
    clearTimeout(timer)
  }
}
