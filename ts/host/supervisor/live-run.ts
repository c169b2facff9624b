/**
 * A run that exists: its process, what holds it, its connection, and what it last said. What that means for the app is
 * for `machine.ts`; what is done about it for `seat.ts`.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Launched } from '../launcher/launcher.js'
import type { Hold } from '../limits/governor.js'
import { giveFolders } from '../limits/users.js'
import type { HostPlace } from '../place.js'
import { type Channel, jsonBytes, jsonOf } from '../wire/channel.js'
import { Calm } from './calm.js'
import type { AgentAsks, AppNotes, AppRequests } from './control.js'
import { makeFolder, type RunRecord } from './records.js'
import type { AppHealth, AppSample } from './status.js'
import type { RunFacts } from './vigil.js'

/** A run. */
export class LiveRun {
  /** The name it runs under; a spare takes that of the run that it becomes. */
  instance: string
  /** The name it was launched under, which its folder, its groups and its launcher keep. */
  readonly folder: string
  /** Secret of the run, as SHA-256 of its text. */
  tokenHash: string
  isSpare: boolean
  launched: Launched | undefined
  hold: Hold | undefined
  channel: Channel | undefined
  health: AppHealth | null = null
  sample: AppSample | null = null
  /** What the processor counter said with the sample before. */
  cpuMs: number | undefined
  loopP99: RunFacts['loopP99'] = []
  shedAt: number | null = null
  /** Milliseconds of looks without a heartbeat. */
  silentMs = 0
  /** Tells whether it can do all of its work; what it says of that changes as often as it likes. */
  readonly calm = new Calm<() => void>((tell) => tell())
  /** An error that nobody caught, as the app told it. */
  fatal: AppNotes['fatal'] | undefined
  /** It is to be ended as soon as it exists. */
  isDoomed = false
  /** Its end has been heard of. */
  isGone = false
  readonly startedAt: number
  /** What `instance.json` holds. */
  record: RunRecord | undefined

  constructor(instance: string, folder: string, tokenHash: string, startedAt: number) {
    this.instance = instance
    this.folder = folder
    this.tokenHash = tokenHash
    this.isSpare = instance === folder && folder.includes('.spare-')
    this.startedAt = startedAt
  }

  /** Takes a connection; an older one is ended. */
  attach(channel: Channel): void {
    const before = this.channel
    this.channel = channel
    this.silentMs = 0
    if (before !== undefined && before !== channel) before.close()
  }

  /** A connection ended. */
  detach(channel: Channel): void {
    if (this.channel === channel) this.channel = undefined
  }

  /** True while it can be asked. */
  get isConnected(): boolean {
    return this.channel !== undefined && !this.channel.isEnded
  }

  /** Asks the app; rejects where it is not connected. */
  async ask<Name extends keyof (AppRequests & AgentAsks)>(
    name: Name,
    argument: (AppRequests & AgentAsks)[Name]['argument'],
    timeoutMs: number,
  ): Promise<(AppRequests & AgentAsks)[Name]['answer']> {
    if (this.channel === undefined) throw new Error(`${this.instance} is not connected`)
    const answer = await this.channel.request(name, jsonBytes(argument), { timeoutMs })
    return jsonOf(answer) as (AppRequests & AgentAsks)[Name]['answer']
  }
}

/** A token and what may be kept of it. */
export function newToken(): { readonly token: string; readonly tokenHash: string } {
  const token = randomBytes(32).toString('hex')
  return { token, tokenHash: hashOf(token) }
}

/** SHA-256 of a token's text. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** The folders of a run. */
export function runFolders(place: HostPlace, uuid: string, folder: string) {
  return {
    instance: place.app(uuid, 'instances', folder),
    run: place.app(uuid, 'runs', folder),
    data: place.app(uuid, 'data'),
    log: place.app(uuid, 'log'),
  }
}

/** Makes the folders of a run; those that the app writes are its user's. */
export function makeRunFolders(
  folders: ReturnType<typeof runFolders>,
  user: { readonly uid: number; readonly gid: number } | undefined,
): void {
  makeFolder(folders.instance)
  makeFolder(folders.run, 0o700)
  makeFolder(folders.data, 0o700)
  makeFolder(folders.log)
  if (user !== undefined) giveFolders(folders, user)
}
