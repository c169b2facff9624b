/**
 * One page in a browser of its own, driven over the DevTools protocol: opened, asked, watched for its crash, looked
 * into when it hangs, closed.
 *
 * A page has no socket to the supervisor. What a Node app says of itself, this says for the page: ready once it has
 * loaded, a heartbeat as often as its event loop answers, and that it has drained. A page that wants to take part
 * sets `globalThis.posKernel = { drain: async (why) => {}, shed: async () => {} }`. Its browser ends when `drain` has.
 *
 * Where the desktop agent shows the app in a shell, all of that is about the app's frame (`app-frame.ts`).
 */
import { hostError } from '../error.js'
import { AppFrame } from './app-frame.js'
import type { DevTools, DevToolsParams } from './devtools.js'

/** How a page died. */
export interface PageDeath {
  /** As Chromium says it: `crashed`, `oom`, `killed`, ... */
  readonly status: string
  /** What waitpid gave of the renderer. */
  readonly errorCode: number
}

/** A page. */
export class Page {
  readonly #devtools: DevTools
  readonly #target: string
  readonly #session: string
  /** Where the app is, in a shell. */
  readonly #frame: AppFrame | undefined
  #isAsked = false
  /** Settles when the renderer of the page is gone; never where the browser goes first. */
  readonly died: Promise<PageDeath>

  private constructor(devtools: DevTools, target: string, session: string, isShell: boolean) {
    this.#devtools = devtools
    this.#target = target
    this.#session = session
    this.#frame = isShell ? new AppFrame(devtools, target, session) : undefined
    const isOurs = (from: string | undefined) =>
      from === session || this.#frame?.isOwn(from) === true
    this.died = new Promise((resolve) => {
      devtools.onEvent((method, params, from) => {
        const isCrash = method === 'Target.targetCrashed'
        if (isCrash && (params.targetId === target || this.#frame?.isTarget(params.targetId))) {
          resolve({ status: String(params.status), errorCode: Number(params.errorCode) })
        }
        // Nobody is there to step on from a `debugger` statement.
        if (method === 'Debugger.paused' && isOurs(from) && !this.#isAsked) {
          devtools.call('Debugger.resume', {}, from).catch(() => {})
        }
        if (method === 'Inspector.targetCrashed' && isOurs(from)) {
          // The event that says how comes first; where it did not, this is all there is.
          setTimeout(() => resolve({ status: 'crashed', errorCode: 0 }), 50)
        }
      })
    })
  }

  /**
   * Takes the browser's page; of several the one that is no part of the browser itself.
   *
   * @param isShell - the app is in a frame of the page
   */
  static async take(devtools: DevTools, isShell = false): Promise<Page> {
    await devtools.call('Target.setDiscoverTargets', { discover: true })
    const { targetInfos } = await devtools.call('Target.getTargets')
    const found = (targetInfos as { targetId: string; type: string }[]).find(
      ({ type }) => type === 'page',
    )
    const target =
      found?.targetId ??
      String((await devtools.call('Target.createTarget', { url: 'about:blank' })).targetId)
    const { sessionId } = await devtools.call('Target.attachToTarget', {
      targetId: target,
      flatten: true,
    })
    const page = new Page(devtools, target, String(sessionId), isShell)
    await page.#call('Page.enable')
    await page.#frame?.find()
    await page.#call('Runtime.enable')
    await page.#call('Inspector.enable')
    // A loop that stands can be interrupted, but not be asked to let itself be interrupted.
    await page.#call('Debugger.enable')
    return page
  }

  /** Opens an address; resolves when it has loaded. Rejects with `HOST_DEVTOOLS` when it cannot be had. */
  async open(url: string, timeoutMs: number): Promise<void> {
    const loaded = this.#next('Page.loadEventFired', timeoutMs)
    loaded.catch(() => {})
    const { errorText } = await this.#call('Page.navigate', { url }, timeoutMs)
    if (errorText !== undefined) {
      throw hostError('HOST_DEVTOOLS', `${url} could not be opened: ${String(errorText)}`, {
        method: 'Page.navigate',
        message: errorText,
      })
    }
    await loaded
    const unreachable = await this.#frame?.unreachable(timeoutMs)
    if (unreachable === undefined) return
    throw hostError('HOST_DEVTOOLS', `${unreachable} could not be opened in its shell`, {
      method: 'Page.navigate',
      message: 'unreachable',
    })
  }

  /** Runs JavaScript of the app and gives its value. What it throws comes as `HOST_DEVTOOLS`. */
  async evaluate(expression: string, timeoutMs = 10_000): Promise<unknown> {
    const place = await this.#frame?.place(timeoutMs)
    const answer = this.#devtools.call(
      'Runtime.evaluate',
      {
        expression,
        awaitPromise: true,
        returnByValue: true,
        ...(place?.contextId !== undefined && { contextId: place.contextId }),
      },
      place?.session ?? this.#session,
      timeoutMs,
    )
    const { result, exceptionDetails } = await (place === undefined
      ? answer
      : Promise.race([answer, place.gone]))
    if (exceptionDetails !== undefined) {
      const { exception, text } = exceptionDetails as {
        exception?: { description?: string }
        text?: string
      }
      const message = exception?.description ?? text ?? 'failed'
      throw hostError('HOST_DEVTOOLS', `the page threw: ${message}`, {
        method: 'Runtime.evaluate',
        message,
      })
    }
    return (result as { value?: unknown } | undefined)?.value
  }

  /** Where its JavaScript is, even in a loop without end: a line a frame. */
  async stack(timeoutMs: number): Promise<string> {
    const place = await this.#frame?.place(timeoutMs)
    const session = place?.session ?? this.#session
    this.#isAsked = true
    try {
      const paused = this.#next('Debugger.paused', timeoutMs, session)
      paused.catch(() => {})
      await this.#devtools.call('Debugger.pause', {}, session, timeoutMs)
      return framesText((await paused).callFrames)
    } finally {
      this.#isAsked = false
      this.#devtools.call('Debugger.resume', {}, session, timeoutMs).catch(() => {})
    }
  }

  /** Ends the browser in order: its exit code is 0. */
  async close(): Promise<void> {
    await this.#devtools.call('Browser.close')
  }

  #call(
    method: string,
    params: DevToolsParams = {},
    timeoutMs?: number,
  ): Promise<Record<string, unknown>> {
    return this.#devtools.call(method, params, this.#session, timeoutMs)
  }

  /** The next event of this name in a session; that of the page unless said. */
  #next(name: string, timeoutMs: number, of = this.#session): Promise<DevToolsParams> {
    return new Promise((resolve, reject) => {
      const end = this.#devtools.onEvent((method, params, session) => {
        if (method !== name || session !== of) return
        clearTimeout(timer)
        end()
        resolve(params)
      })
      const timer = setTimeout(() => {
        end()
        reject(
          hostError('HOST_DEVTOOLS', `no ${name} within ${timeoutMs} ms`, {
            method: name,
            message: 'timed out',
          }),
        )
      }, timeoutMs)
    })
  }

  /** Name of the target, for reports. */
  get target(): string {
    return this.#target
  }
}

/** Where JavaScript is: a line a frame. */
function framesText(frames: unknown): string {
  const lines = frames as {
    functionName: string
    url: string
    location: { lineNumber: number; columnNumber: number }
  }[]
  return lines
    .map(({ functionName, url, location }) => {
      const name = functionName === '' ? '<anonymous>' : functionName
      return `    at ${name} (${url}:${location.lineNumber + 1}:${location.columnNumber + 1})`
    })
    .join('\n')
}
