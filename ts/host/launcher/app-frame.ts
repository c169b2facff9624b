/**
 * The frame that an app's page is shown in, where the desktop agent shows it: the one frame of its shell.
 *
 * What is asked of a page is asked of the app and not of the shell around it. A frame of the shell's site is in the
 * shell's renderer and has an execution context there; a frame of another site has a renderer, and with it a DevTools
 * session, of its own. It may go from one to the other whenever it is sent to another address.
 */
import { hostError } from '../error.js'
import type { DevTools, DevToolsParams } from './devtools.js'

/** Where JavaScript of the app runs now. */
export interface FramePlace {
  readonly frameId: string
  readonly session: string
  /** The context in the session; its only page unless given. */
  readonly contextId?: number
  /** Rejects when the app is no longer there. Who waits for an answer from there gets none. */
  readonly gone: Promise<never>
}

/** What of a browser's frame tree is read. */
interface FrameTree {
  readonly frame: { readonly id: string; readonly unreachableUrl?: string }
  readonly childFrames?: readonly FrameTree[]
}

/** Follows the frame. */
export class AppFrame {
  readonly #devtools: DevTools
  readonly #target: string
  readonly #shell: string
  readonly #waiting = new Set<() => void>()
  #frameId: string | undefined
  #place: FramePlace | undefined
  #leave: (() => void) | undefined
  /** The session of its own that it has, or is about to have. */
  #own: string | undefined

  /**
   * @param target - the page of the shell
   * @param shell - the session of that page; nothing is enabled in it yet
   */
  constructor(devtools: DevTools, target: string, shell: string) {
    this.#devtools = devtools
    this.#target = target
    this.#shell = shell
    devtools.onEvent((method, params, session) => {
      if (session === shell) this.#hear(method, params)
    })
  }

  /** Finds the frame of a shell that is open already. Called between `Page.enable` and `Runtime.enable`. */
  async find(): Promise<void> {
    const { frameTree } = await this.#devtools.call('Page.getFrameTree', {}, this.#shell)
    this.#frameId ??= (frameTree as FrameTree).childFrames?.[0]?.frame.id
    await this.#devtools.call(
      'Target.setAutoAttach',
      {
        autoAttach: true,
        waitForDebuggerOnStart: false,
        flatten: true,
        filter: [{ type: 'iframe' }],
      },
      this.#shell,
    )
  }

  /** True for the session that the app has for itself. */
  isOwn(session: string | undefined): boolean {
    return session !== undefined && session === this.#own
  }

  /** True for the app's frame as a target. */
  isTarget(targetId: unknown): boolean {
    return targetId !== undefined && targetId === this.#frameId
  }

  /** Where the app is, at the latest after this time. */
  place(timeoutMs: number): Promise<FramePlace> {
    if (this.#place !== undefined) return Promise.resolve(this.#place)
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.#place === undefined) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(this.#place)
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(look)
        reject(absent(`its shell shows no page after ${timeoutMs} ms`))
      }, timeoutMs)
      timer.unref()
      this.#waiting.add(look)
    })
  }

  /** The address that could not be had, where the frame shows the browser's own word for that. */
  async unreachable(timeoutMs: number): Promise<string | undefined> {
    const { session, frameId } = await this.place(timeoutMs)
    const { frameTree } = await this.#devtools.call('Page.getFrameTree', {}, session, timeoutMs)
    const tree = frameTree as FrameTree
    const found = [tree, ...(tree.childFrames ?? [])].find(({ frame }) => frame.id === frameId)
    return found?.frame.unreachableUrl
  }

  #hear(method: string, params: DevToolsParams): void {
    switch (method) {
      case 'Page.frameAttached':
        if (params.parentFrameId === this.#target) this.#frameId = String(params.frameId)
        break
      case 'Page.frameDetached':
        if (params.frameId !== this.#frameId || params.reason === 'swap') break
        this.#frameId = undefined
        this.#left()
        break
      case 'Runtime.executionContextCreated': {
        const { id, auxData } = params.context as {
          id: number
          auxData?: { frameId?: string; isDefault?: boolean }
        }
        if (auxData?.isDefault !== true || auxData.frameId !== this.#frameId) break
        this.#own = undefined
        this.#arrived(this.#shell, id)
        break
      }
      case 'Runtime.executionContextDestroyed':
        if (params.executionContextId === this.#place?.contextId) this.#left()
        break
      case 'Runtime.executionContextsCleared':
        if (this.#place?.session === this.#shell) this.#left()
        break
      case 'Target.attachedToTarget': {
        const info = params.targetInfo as { targetId: string; parentFrameId?: string }
        if (info.parentFrameId === this.#target) this.#frameId = info.targetId
        if (info.targetId === this.#frameId) void this.#take(String(params.sessionId))
        break
      }
      case 'Target.detachedFromTarget':
        if (params.sessionId !== this.#own) break
        this.#own = undefined
        this.#left()
        break
    }
  }

  /** It has a renderer of its own. */
  async #take(session: string): Promise<void> {
    this.#own = session
    this.#left()
    try {
      for (const domain of ['Page', 'Runtime', 'Inspector', 'Debugger'])
        await this.#devtools.call(`${domain}.enable`, {}, session)
    } catch {
      // It is gone already; where it went is heard.
      return
    }
    if (this.#own === session) this.#arrived(session)
  }

  #arrived(session: string, contextId?: number): void {
    this.#left()
    const gone = new Promise<never>((_resolve, reject) => {
      this.#leave = () => reject(absent('it went to another address'))
    })
    gone.catch(() => {})
    this.#place = {
      frameId: String(this.#frameId),
      session,
      ...(contextId !== undefined && { contextId }),
      gone,
    }
    for (const look of [...this.#waiting]) look()
  }

  #left(): void {
    this.#place = undefined
    this.#leave?.()
    this.#leave = undefined
  }
}

function absent(why: string) {
  return hostError('HOST_DEVTOOLS', `the page does not answer: ${why}`, {
    method: 'Runtime.evaluate',
    message: why,
  })
}
