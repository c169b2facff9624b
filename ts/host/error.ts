/**
 * Errors of the host: one class, one code a case. Match on `code`; `facts` carry the values that the
 * sentence names. Errors of the kernel keep their own codes, `PK_E_...`, wherever they pass through.
 */

/** Every code of the host, and what it means. A code never changes its meaning. */
export const hostCodes = {
  HOST_MANIFEST: 'a manifest has a value that is refused; facts: path, value, limit',
  HOST_UNKNOWN_APP: 'no app of this uuid is in the manifest; facts: uuid, known',
  HOST_UNKNOWN_INSTANCE: 'no such instance runs; facts: instance',
  HOST_RUNNING: 'another supervisor owns this store; facts: pid, since',
  HOST_NOT_RUNNING: 'no supervisor answers for this store; facts: socket',
  HOST_NOT_HOSTED: 'this process was not started by a host; facts: variable',
  HOST_NO_METHOD: 'a peer does not know what it was asked; facts: method',
  HOST_ARGUMENT: 'a request has a value that is refused; facts: method, path, value',
  HOST_TIMED_OUT: 'an answer did not come in time; facts: method, timeoutMs',
  HOST_CANCELLED: 'the caller gave the request up; facts: method',
  HOST_DISCONNECTED:
    'the connection ended before the answer; it may have been done or not; facts: method',
  HOST_PROTOCOL: 'a peer speaks another version or no language of this host; facts: found, known',
  HOST_IDENTITY: 'a peer is not the app that it says it is; facts: instance',
  HOST_FORBIDDEN: 'the manifest does not permit this app what it asked; facts: uuid, permission',
  HOST_SOCKET_FOLDER:
    'the folder for sockets of long paths can be changed by others than this user; facts: path, owner, found',
  HOST_UNREACHABLE: 'nobody is at this address of the bus now; facts: to',
  HOST_BUSY: 'the receiver has no room; try again when it has read; facts: to, waitingBytes',
  HOST_TOO_LARGE: 'a message is longer than a frame may be; facts: bytes, limit',
  HOST_STOPPED:
    'a person stopped the app, and a message or an intent does not start it; facts: uuid, needed',
  HOST_NOT_SERVING:
    'no run of the app serves now, and it was asked what needs one; facts: uuid, state',
  HOST_NOT_REPLACED:
    'a new run was asked for, and it did not come to serve; facts: uuid, instance, reason, serving',
  HOST_QUARANTINED: 'the app failed too often and waits; facts: uuid, failures, retryAt',
  HOST_LIMIT_UNSUPPORTED:
    'this machine cannot hold a limit that was asked for; facts: limit, ring, reason',
  HOST_LAUNCH: 'a process could not be started; facts: uuid, step, errno',
  HOST_STATE: 'an app state file is damaged; facts: path, reason',
  HOST_STATE_HELD: 'another process has the state of the app; facts: path',
  HOST_STATE_TOO_LARGE: 'an app state is larger than allowed; facts: bytes, limit',
  HOST_SHUTTING_DOWN: 'the host is shutting down and starts nothing; facts: since',
  HOST_DEVTOOLS:
    'a page refused or failed what it was asked by the DevTools protocol; facts: method, message',
  HOST_UNSUPPORTED: 'this machine or this kind of app cannot do that; facts: what, reason',
  HOST_FAILED: 'a fault that has no code of its own; facts: method',
} as const

/** A code of the host. */
export type HostCode = keyof typeof hostCodes

/** Values behind a message. */
export type HostErrorFacts = Readonly<Record<string, unknown>>

/** A refusal or a failure of the host. */
export class HostError extends Error {
  /** The exact case: a {@link HostCode}, or a code of the kernel that passed through. */
  readonly code: string
  /** The values behind the message. */
  readonly facts: HostErrorFacts

  /** @internal */
  constructor(code: string, message: string, facts: HostErrorFacts) {
    super(message)
    this.name = 'HostError'
    this.code = code
    this.facts = facts
  }

  /** The error as the one JSON object that every door shows. */
  toJSON(): { ok: false; code: string; message: string; facts: HostErrorFacts } {
    return { ok: false, code: this.code, message: this.message, facts: this.facts }
  }
}

/** Makes an error. */
export function hostError(
  code: HostCode | (string & {}),
  message: string,
  facts: HostErrorFacts = {},
): HostError {
  return new HostError(code, message, facts)
}

/** True when `value` is an error of the host with this code, or with any where none is given. */
export function isHostError(value: unknown, code?: HostCode): value is HostError {
  return value instanceof HostError && (code === undefined || value.code === code)
}
