/**
 * What may be said on the control socket, in both directions. Payloads are JSON; frames are those of `wire/`.
 *
 * A caller says `hello` first. An app shows the token of its run; the command line and the dashboard show the key in
 * `host.owner.json`, which only the store's user can read.
 */
import type { OpenQuestion } from '../agent/questions.js'
import type { IntentChoice } from '../agent/resolver.js'
import type { AppHistory } from '../monitor/history.js'
import type { AppHealth, HostEvent, HostStatus } from './status.js'

/** Version of what is said here. */
export const controlProtocol = 1

/** The first frame of a caller. */
export type ControlHello =
  | {
      readonly protocol: number
      readonly role: 'app'
      readonly instance: string
      readonly token: string
      readonly pid: number
    }
  | { readonly protocol: number; readonly role: 'operator'; readonly key: string }
  /** A process of the host itself, as the broker; what is said then is in `bus/contract.ts`. */
  | {
      readonly protocol: number
      readonly role: 'part'
      readonly part: string
      readonly token: string
      readonly pid: number
    }

/** The answer. */
export interface ControlWelcome {
  readonly protocol: number
  readonly epoch: number
  /** To an app only: how often to send a heartbeat, and what counts as hung. */
  readonly heartbeatMs?: number
  readonly hangMs?: number
}

/** Requests of an operator, and of apps with the permission `control`: argument and answer. */
export interface ControlRequests {
  status: { readonly argument: Record<string, never>; readonly answer: HostStatus }
  start: {
    readonly argument: { readonly uuid: string }
    readonly answer: { readonly instance: string | null }
  }
  stop: {
    readonly argument: { readonly uuid: string; readonly deadlineMs?: number }
    readonly answer: { readonly reason: string }
  }
  drain: {
    readonly argument: { readonly uuid: string; readonly deadlineMs?: number }
    readonly answer: { readonly reason: string }
  }
  /** Rejects with `HOST_NOT_REPLACED` when the new run ended before it served. */
  restart: {
    readonly argument: { readonly uuid: string }
    readonly answer: { readonly instance: string }
  }
  /** Rejects as `restart`, and with `HOST_NOT_SERVING` where no run serves. */
  recycle: {
    readonly argument: { readonly uuid: string; readonly why?: string }
    readonly answer: { readonly instance: string }
  }
  kill: {
    readonly argument: { readonly uuid: string }
    readonly answer: { readonly reason: string }
  }
  release: {
    readonly argument: { readonly uuid: string }
    readonly answer: { readonly state: string }
  }
  events: {
    readonly argument: { readonly from?: number; readonly limit?: number }
    readonly answer: readonly HostEvent[]
  }
  /** What was measured of an app: each second for ten minutes, each 250 ms for one. */
  samples: {
    readonly argument: { readonly uuid: string; readonly from?: number }
    readonly answer: AppHistory
  }
  /**
   * From now on notes `event` and, each `statusMs`, a second unless said, `status` come over this connection; with 0 no
   * status does. Asked again, it changes that. Who wants a status each second has apps measured as often as for one who looks at them.
   */
  follow: {
    readonly argument: { readonly statusMs?: number }
    readonly answer: { readonly seq: number }
  }
  shutdown: {
    readonly argument: { readonly deadlineMs?: number; readonly reason?: string }
    readonly answer: ShutdownResult
  }
  evaluate: {
    readonly argument: { readonly uuid: string; readonly expression: string }
    readonly answer: { readonly value: unknown }
  }
  /** Intents for which a person has to say which app handles them. Who asks is there to answer: for 10 s such questions are put. */
  questions: { readonly argument: Record<string, never>; readonly answer: readonly OpenQuestion[] }
  /** Answers one; without a choice it is refused. `taken` is false where it was no longer open. */
  answer: {
    readonly argument: { readonly id: string; readonly choice?: IntentChoice }
    readonly answer: { readonly taken: boolean }
  }
}

/** Requests of an operator that the supervisor passes on to the desktop agent. */
export type AgentAsks = Pick<ControlRequests, 'questions' | 'answer'>

/** How a shutdown went. */
export interface ShutdownResult {
  readonly ended: readonly {
    readonly uuid: string
    readonly instance: string
    readonly reason: string
    readonly acknowledged: boolean
    readonly ms: number
  }[]
  readonly ms: number
}

/** Notes of an app to the supervisor. */
export interface AppNotes {
  /** It serves. `restored` says which state it began from. */
  ready: {
    readonly restored: 'none' | 'current' | 'previous' | 'empty'
    readonly recovery?: unknown
  }
  /** It needs its state, which another run of the app still has: that one has to drain before this one can be ready. */
  'awaits-state': Readonly<Record<string, never>>
  /** It is there; and how it is, unless that is as it was. */
  heartbeat: AppHealth | undefined
  /** It cannot do all of its work; `ready` again ends that. */
  degraded: { readonly why: string }
  /** The loop stood; from the native thread, the loop itself cannot say it. */
  fatal: {
    readonly kind: 'exception' | 'rejection'
    readonly message: string
    readonly stack: string
  }
}

/** Requests of any app, about itself. */
export interface OwnRequests {
  /** Whether a run of it was ended from outside; of one that has not ended yet, answered when it does. */
  'end-of': {
    readonly argument: { readonly instance: string }
    readonly answer: { readonly fromOutside: boolean }
  }
}

/** Requests of the supervisor to an app: each is answered when it is done. */
export interface AppRequests {
  /** Finish what is under way, take nothing new, save the state; then the app ends by itself with code 0. */
  drain: {
    readonly argument: { readonly why: string; readonly deadlineMs: number }
    readonly answer: { readonly saved: boolean }
  }
  /** Give memory back. */
  shed: {
    readonly argument: { readonly usedBytes: number; readonly limitBytes: number }
    readonly answer: { readonly freedBytes: number }
  }
  /** A warm spare becomes this instance. */
  become: {
    readonly argument: {
      readonly instance: string
      readonly token: string
      readonly script: string
      readonly args: readonly string[]
      readonly env: Readonly<Record<string, string>>
    }
    readonly answer: { readonly instance: string }
  }
}
