/** One shell's WebSocket, and the page behind it. */
import type { WebSocket } from 'ws'
import { uuidOf } from '../../place.js'
import type { AppRecord } from '../directory.js'
import type { AgentMessage } from '../message.js'
import type { GatewayParts } from './gateway.js'
import { fitsUrl, instanceUuidOf, isInstanceUuid, originOf } from './identity.js'
import { closeCodes, type GatewayLink, type PageIdentity } from './page-link.js'

const openMs = 5000
/** Bytes that may wait for a shell that does not read. */
const waitingBytesMax = 8 * 1024 * 1024

/** What a page's connection asks the gateway for. */
export interface PageRoom {
  readonly parts: GatewayParts
  /** This run's page is this connection now; the one before is ended. */
  opened(page: Page): void
  closed(page: Page): void
  /** An id that no page of this run has had. */
  nextInstanceId(instance: string): string
  /** A message of the standard, in its turn. */
  take(page: Page, text: string): void
}

/** A connection. */
export class Page {
  /** The run that it showed the token of. */
  instance: string | undefined
  /** The page as the agent knows it. */
  instanceId: string | undefined
  readonly #socket: WebSocket
  readonly #room: PageRoom
  readonly #patience: NodeJS.Timeout
  #isOpening = false

  constructor(socket: WebSocket, room: PageRoom) {
    this.#socket = socket
    this.#room = room
    this.#patience = setTimeout(
      () => this.close(closeCodes.refused, 'no token came in time'),
      openMs,
    )
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.#trouble('not-json', 'bytes where text is due', {})
      else this.#hear(data.toString())
    })
    socket.on('close', () => {
      clearTimeout(this.#patience)
      this.#leave()
      this.#room.closed(this)
    })
    // A frame that is too long or malformed: `close` follows.
    socket.on('error', (error) =>
      this.#trouble('too-large', error.message, { reason: error.message }),
    )
  }

  /** Says something to the shell. */
  say(message: AgentMessage | GatewayLink): void {
    this.sendText(JSON.stringify(message))
  }

  /** The same, serialised already. */
  sendText(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    if (this.#socket.bufferedAmount > waitingBytesMax) {
      this.#trouble('undelivered', `${this.#socket.bufferedAmount} bytes waited for it`, {
        waitingBytes: this.#socket.bufferedAmount,
      })
      this.close(closeCodes.stuck, 'the page reads nothing')
      this.#socket.terminate()
      return
    }
    this.#socket.send(text)
  }

  /** Ends it. */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  /** Ends it at once. */
  terminate(): void {
    this.#socket.terminate()
  }

  /** The agent let the page go; it may come back. */
  lost(): void {
    this.instanceId = undefined
    this.say({ link: 'lost' })
  }

  #hear(text: string): void {
    // Links are short and few; everything else is the agent's, in its turn.
    if (!text.startsWith('{"link":')) {
      if (this.instanceId !== undefined) this.#room.take(this, text)
      else if (this.instance !== undefined) this.say({ link: 'lost' })
      else this.close(closeCodes.refused, 'the token comes first')
      return
    }
    let link: Record<string, unknown>
    try {
      link = JSON.parse(text) as Record<string, unknown>
    } catch {
      this.#trouble('not-json', 'a link that is no JSON', {})
      return
    }
    if (link.link === 'open') void this.#open(String(link.instance), String(link.token))
    else if (this.instance === undefined) this.close(closeCodes.refused, 'the token comes first')
    else if (link.link === 'validate') this.#validate(String(link.origin), link.message)
    else if (link.link === 'resume')
      this.#resume(String(link.instanceId), String(link.instanceUuid))
    else if (link.link === 'goodbye') this.#leave()
  }

  async #open(instance: string, token: string): Promise<void> {
    if (this.#isOpening || this.instance !== undefined) return
    this.#isOpening = true
    const { parts } = this.#room
    const isKnown = parts.directory.ofUuid(uuidOf(instance))?.url !== undefined
    const isAdmitted = isKnown && (await parts.admit({ instance, token }).catch(() => false))
    clearTimeout(this.#patience)
    if (!isAdmitted) {
      const text = `a page said that it is ${instance.slice(0, 80)} and could not show it`
      parts.report({
        kind: 'forged',
        instanceId: null,
        text,
        facts: { instance: instance.slice(0, 80) },
      })
      this.close(closeCodes.refused, 'the token is not of this run')
      return
    }
    this.instance = instance
    this.#room.opened(this)
    this.say({ link: 'opened', fdc3Version: parts.agent.fdc3Version })
  }

  #validate(origin: string, message: unknown): void {
    const { parts } = this.#room
    const record = this.#record
    const connectionAttemptUuid = attemptOf(message)
    const refuse = (reason: string) => {
      this.#trouble('origin', reason, { origin })
      const meta = { connectionAttemptUuid, timestamp: new Date().toISOString() }
      const payload = { message: reason }
      this.say({
        link: 'validated',
        message: { type: 'WCP5ValidateAppIdentityFailedResponse', payload, meta },
      })
    }
    const problem = parts.agent.schemaProblem('WCP4ValidateAppIdentity', message)
    if (problem !== undefined) {
      refuse(`the page's WCP4ValidateAppIdentity is none: ${problem.path} ${problem.message}`)
      return
    }
    const { payload } = message as { payload: Wcp4Payload }
    const { identityUrl, actualUrl } = payload
    if (originOf(actualUrl) !== origin || originOf(identityUrl) !== origin) {
      refuse(`the page is of ${origin} and says that it is ${identityUrl}`)
      return
    }
    if (record?.url === undefined || !fitsUrl(record.url, identityUrl)) {
      refuse(`${identityUrl} is not the address of ${record?.appId}`)
      return
    }
    const instanceId =
      this.#known(record, payload) ?? this.#room.nextInstanceId(this.instance as string)
    const identity = this.#join(record, instanceId)
    const meta = { connectionAttemptUuid, timestamp: new Date().toISOString() }
    const implementationMetadata = parts.agent.implementationMetadata(instanceId)
    this.say({
      link: 'validated',
      identity,
      message: {
        type: 'WCP5ValidateAppIdentityResponse',
        payload: { ...identity, implementationMetadata },
        meta,
      },
    })
  }

  #resume(instanceId: string, instanceUuid: string): void {
    const record = this.#record
    const known =
      record === undefined ? undefined : this.#known(record, { instanceId, instanceUuid })
    if (record === undefined || known === undefined) {
      this.#trouble(
        'forged',
        `it said that it is ${instanceId.slice(0, 80)} and could not show it`,
        {},
      )
      this.say({ link: 'refused', reason: 'the instanceUuid is not of this instance' })
      return
    }
    this.#join(record, known)
    this.say({ link: 'joined', instanceId: known })
  }

  /** The id that a page had before, where it can show that it was this one. */
  #known(
    { appId }: AppRecord,
    { instanceId, instanceUuid }: Partial<Wcp4Payload>,
  ): string | undefined {
    if (instanceId === undefined || instanceUuid === undefined) return undefined
    const isOfThisRun = instanceId === this.instance || instanceId.startsWith(`${this.instance}~`)
    if (!isOfThisRun || !isInstanceUuid(this.#room.parts.key, appId, instanceId, instanceUuid))
      return undefined
    return instanceId
  }

  #join({ appId }: AppRecord, instanceId: string): PageIdentity {
    const { agent, key } = this.#room.parts
    if (this.instanceId !== instanceId) this.#leave()
    this.instanceId = instanceId
    agent.connect({ appId, instanceId })
    return { appId, instanceId, instanceUuid: instanceUuidOf(key, appId, instanceId) }
  }

  #leave(): void {
    const { instanceId } = this
    this.instanceId = undefined
    if (instanceId !== undefined) this.#room.parts.agent.disconnect(instanceId)
  }

  get #record(): AppRecord | undefined {
    return this.#room.parts.directory.ofUuid(uuidOf(this.instance ?? ''))
  }

  #trouble(
    kind: 'not-json' | 'too-large' | 'undelivered' | 'forged' | 'origin',
    reason: string,
    facts: Record<string, unknown>,
  ): void {
    const instanceId = this.instance ?? null
    this.#room.parts.report({
      kind,
      instanceId,
      text: `the page ${instanceId ?? 'without a name'}: ${reason}`,
      facts,
    })
  }
}

interface Wcp4Payload {
  readonly identityUrl: string
  readonly actualUrl: string
  readonly instanceId?: string
  readonly instanceUuid?: string
}

function attemptOf(message: unknown): string {
  const { meta } = (message ?? {}) as { meta?: { connectionAttemptUuid?: unknown } }
  return typeof meta?.connectionAttemptUuid === 'string'
    ? meta.connectionAttemptUuid.slice(0, 128)
    : ''
}
