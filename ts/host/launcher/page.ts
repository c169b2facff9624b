/**
 * One page in a browser of its own, driven over the DevTools protocol: opened, asked, watched for its crash, looked
 * into when it hangs, closed.
 *
 * A page has no socket to the supervisor. What a Node app says of itself, this says for the page: ready once it has
 * loaded, a heartbeat as often as its event loop answers, and that it has drained. A page that wants to take part
 * sets `globalThis.posKernel = { drain: async (why) => {}, shed: async () => {} }`.
 */
import { hostError } from '../error.js'
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
  #isAsked = false
  /** Settles when the renderer of the page is gone; never where the browser goes first. */
  readonly died: Promise<PageDeath>

  private constructor(devtools: DevTools, target: string, session: string) {
    this.#devtools = devtools
    this.#target = target
    this.#session = session
    this.died = new Promise((resolve) => {
      devtools.onEvent((method, params, from) => {
        if (method === 'Target.targetCrashed' && params.targetId === target) {
          resolve({ status: String(params.status), errorCode: Number(params.errorCode) })
        }
        // Nobody is there to step on from a `debugger` statement.
        if (method === 'Debugger.paused' && from === session && !this.#isAsked) {
          this.#call('Debugger.resume').catch(() => {})
        }
        if (method === 'Inspector.targetCrashed' && from === session) {
          // The event that says how comes first; where it did not, this is all there is.
          setTimeout(() => resolve({ status: 'crashed', errorCode: 0 }), 50)
        }
      })
    })
  }

  /** Takes the browser's page; of several the one that is no part of the browser itself. */
  static async take(devtools: DevTools): Promise<Page> {
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
    const page = new Page(devtools, target, String(sessionId))
    await page.#call('Page.enable')
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
  }

  /** Runs JavaScript in the page and gives its value. What it throws comes as `HOST_DEVTOOLS`. */
  async evaluate(expression: string, timeoutMs = 10_000): Promise<unknown> {
    const { result, exceptionDetails } = await this.#call(
      'Runtime.evaluate',
      { expression, awaitPromise: true, returnByValue: true },
      timeoutMs,
    )
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
    this.#isAsked = true
    try {
      const paused = this.#next('Debugger.paused', timeoutMs)
      paused.catch(() => {})
      await this.#call('Debugger.pause', {}, timeoutMs)
      return framesText((await paused).callFrames)
    } finally {
      this.#isAsked = false
      this.#call('Debugger.resume', {}, timeoutMs).catch(() => {})
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

  /** The next event of this name in this page. */
  #next(name: string, timeoutMs: number): Promise<DevToolsParams> {
    return new Promise((resolve, reject) => {
      const end = this.#devtools.onEvent((method, params, session) => {
        if (method !== name || session !== this.#session) return
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
