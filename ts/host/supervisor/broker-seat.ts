/**
 * The broker as the supervisor's own child: a program like any app's, started, watched and started again by the same
 * launcher and the same machine. It is never given up: what it fails costs messages that are not durable, what its
 * absence costs is every message. What is said to it is in `bus/contract.ts`.
 */
import type { BrokerHealth, BusApp, BusIdentity, BusRefusal } from '../bus/contract.js'
import { type AppManifest, hostManifestSchema } from '../manifest/manifest.js'
import { jsonBytes } from '../wire/channel.js'
import type { LiveRun } from './live-run.js'
import { stateOf } from './machine.js'
import { hostProgram } from './program.js'
import { type House, Seat } from './seat.js'
import type { HostStatus } from './status.js'

/** The name of the broker among apps; no app may have it. */
export const brokerUuid = 'host-broker'
/** Milliseconds in which the broker answers. */
const identitiesMs = 5000

/** The truth about who may be on the bus, asked for each time that it is told. */
export interface Roll {
  peers(): readonly BusIdentity[]
  apps(): readonly BusApp[]
}

/** The broker. */
export class BrokerSeat extends Seat {
  readonly #roll: Roll
  #told: Promise<void> | undefined
  #isStale = false
  health: BrokerHealth | undefined

  constructor(house: House, roll: Roll, memory: ConstructorParameters<typeof Seat>[2]) {
    // It is the host: it makes the socket in the host's folder, which is no app's.
    super(brokerApp(), { ...house, isolation: 'none' }, memory)
    this.#roll = roll
  }

  /**
   * Tells the broker who may be on the bus; resolves when it knows everything that was true at the call. What changes
   * while it is being told is told behind that, all at once.
   */
  tell(): Promise<void> {
    if (this.#told === undefined) this.#told = this.#tellNow()
    else this.#isStale = true
    return this.#told
  }

  override attached(run: LiveRun, channel: NonNullable<LiveRun['channel']>): void {
    super.attached(run, channel)
    void this.tell()
  }

  /** What the broker counts, and whom it refused. */
  hearBroker(name: string, value: unknown, onRefused: (refusal: BusRefusal) => void): void {
    if (name === 'heartbeat') this.health = value as BrokerHealth
    if (name === 'refused') onRefused(value as BusRefusal)
  }

  /** How it is. */
  brokerStatus(): HostStatus['broker'] {
    const { life, main, health } = this
    return {
      state: stateOf(life),
      pid: main?.launched?.process.pid ?? null,
      restarts: life.restarts,
      frames: health?.frames ?? 0,
    }
  }

  async #tellNow(): Promise<void> {
    try {
      do {
        this.#isStale = false
        const argument = { peers: this.#roll.peers(), apps: this.#roll.apps() }
        await this.main?.channel?.request('identities', jsonBytes(argument), {
          timeoutMs: identitiesMs,
        })
      } while (this.#isStale)
    } catch {
      // Without a broker there is nobody to tell: it is told all of it when it comes.
    } finally {
      this.#told = undefined
    }
  }
}

function brokerApp(): AppManifest {
  const { script, nodeArgs } = hostProgram('bus', 'broker-main')
  const { apps } = hostManifestSchema.parse({
    apps: [
      {
        startup_app: { uuid: brokerUuid, name: 'Broker', script, nodeArgs: [...nodeArgs] },
        restart: { intensity: 1000, periodMs: 1000, backoffMs: 50, backoffMaxMs: 1000 },
        health: { heartbeatMs: 1000, hangMs: 10_000 },
        permissions: { store: true, network: true },
      },
    ],
  })
  const [app] = apps
  if (app === undefined) throw new Error('the manifest has the broker')
  return app
}
