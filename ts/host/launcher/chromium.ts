/**
 * Apps that are pages: each in a browser process tree of its own, with its own profile, driven over a DevTools pipe
 * that the launcher program holds. So one page's crash, leak or loop is one page's, and a page outlives the
 * supervisor that started it.
 *
 * The app is over when its renderer is: the rest of its browser is then ended too. `maxMemory` is what each renderer
 * of the page may hold; the browser around it has its own allowance in the control group, see `limits/`.
 */
import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { hostError, isHostError } from '../error.js'
import type { AppManifest } from '../manifest/manifest.js'
import { holdSocketFolder, shortSocketPath } from '../socket.js'
import { browserArgs, browserProgram, hasUserNamespaces } from './browser.js'
import { DevTools } from './devtools.js'
import { endAll } from './ending.js'
import { type ExitRecord, lastWordsOf } from './exit.js'
import { identityOf, type ProcessIdentity } from './identity.js'
import type { Launched, Launcher, LaunchOrder, RunFolders } from './launcher.js'
import { appEnvironment, orphanOf, outLogBytesMax } from './node.js'
import { Page, type PageDeath } from './page.js'
import { makeTemporary, removeTemporary, temporaryOf } from './page-temporary.js'
import { PageVoice } from './page-voice.js'
import { Renderers } from './renderers.js'
import { findRun, type Run, startRun } from './run.js'
import { signalName } from './signal.js'

/** Milliseconds in which a browser answers on its pipe. */
const browserMsMax = 30_000
/** Milliseconds to end in order after a page has drained. */
const closeMsMax = 3000
/** Milliseconds between two looks at who is of the tree. */
const lookMs = 1000
/** Characters of what a browser said that did not start. */
const saidMax = 500
/** Milliseconds for the stack of a page that hangs. */
const stackMsMax = 1000

/** A page around pages: that of the desktop agent, which shows an app's own in its one frame. */
export interface Shell {
  /** True for apps that it shows. */
  shows(app: AppManifest): boolean
  /** What is opened for a run; undefined while there is no shell. */
  addressOf(order: Pick<LaunchOrder, 'instance' | 'token'>): string | undefined
}

/** Choices of the launcher. */
export interface ChromiumOptions {
  /** Without one, every app's own url is opened. */
  readonly shell?: Shell
}

/** Starts pages. */
export class ChromiumLauncher implements Launcher {
  readonly name = 'chromium'
  readonly #options: ChromiumOptions

  constructor(options: ChromiumOptions = {}) {
    this.#options = options
  }

  takes(app: AppManifest): boolean {
    return app.startup_app.url !== undefined
  }

  async launch(order: LaunchOrder): Promise<Launched> {
    const { app, folders, instance } = order
    const { uuid, url, defaultWidth: width, defaultHeight: height, args } = app.startup_app
    const isShown = this.#isShown(app)
    const address = isShown ? this.#options.shell?.addressOf(order) : url
    if (address === undefined) {
      const why = isShown ? 'there is no desktop agent to show it' : 'it has no url'
      throw launchError(uuid, 'order', why)
    }
    const user = order.confinement.user
    const hasDisplay =
      process.env.DISPLAY !== undefined || process.env.WAYLAND_DISPLAY !== undefined
    // The user that an app is given may be root: where no other can come to the store's folder.
    const isOrdinaryUser = (user?.uid ?? process.getuid?.()) !== 0
    const socket = devtoolsSocket(folders.run)
    // The limit of the data segment is the renderers'; the browser reserves far more.
    const { dataBytes: _data, processes: _processes, ...rest } = order.confinement
    const temporary = makeTemporary(user)
    const reach = rest.reach && {
      ...rest.reach,
      write: [...rest.reach.write, temporary],
      abstractSockets: hasDisplay,
    }
    const run = await startRun(uuid, {
      program: browserProgram(),
      args: [
        ...args,
        ...browserArgs({
          profile: path.join(folders.data, 'profile'),
          width,
          height,
          hasSandbox: isOrdinaryUser && hasUserNamespaces(),
          hasDisplay,
        }),
      ],
      env: appEnvironment(app, folders, {
        ...(hasDisplay && {
          DISPLAY: process.env.DISPLAY ?? '',
          WAYLAND_DISPLAY: process.env.WAYLAND_DISPLAY ?? '',
        }),
        DBUS_SESSION_BUS_ADDRESS: 'disabled:',
        TMPDIR: temporary,
      }),
      cwd: folders.data,
      devtools: { socket },
      outLog: { path: path.join(folders.log, 'out.log'), bytesMax: outLogBytesMax },
      runFolder: folders.run,
      orphan: orphanOf(app),
      confinement: reach === undefined ? rest : { ...rest, reach },
    }).catch((error: unknown) => {
      removeTemporary(temporary)
      throw error
    })
    void run.exited.then(() => removeTemporary(temporary))
    try {
      const devtools = await connected(run, folders.run, uuid)
      const page = await Page.take(devtools, isShown)
      return await PageApp.begin(
        instance,
        run,
        devtools,
        page,
        app,
        folders.instance,
        user,
        address,
      )
    } catch (error) {
      await run.kill()
      if (isHostError(error, 'HOST_LAUNCH')) throw error
      throw launchError(uuid, 'page', (error as Error).message)
    }
  }

  async adopt(
    app: AppManifest,
    instance: string,
    identity: ProcessIdentity,
    folders: RunFolders,
  ): Promise<Launched | undefined> {
    const run = findRun(identity, folders.run)
    if (run === undefined) return undefined
    const temporary = temporaryOf(identity.pid)
    void run.exited.then(() => removeTemporary(temporary))
    const devtools = await connected(run, folders.run, app.startup_app.uuid)
    const page = await Page.take(devtools, this.#isShown(app))
    const user = userOf(identity.pid)
    return PageApp.begin(instance, run, devtools, page, app, folders.instance, user, undefined)
  }

  #isShown(app: AppManifest): boolean {
    return this.#options.shell?.shows(app) === true
  }
}

class PageApp implements Launched {
  readonly instance: string
  readonly process: ProcessIdentity
  readonly held?: NonNullable<Launched['held']>
  readonly exited: Promise<ExitRecord>
  readonly voice: Duplex
  readonly #run: Run
  readonly #devtools: DevTools
  readonly #page: Page
  readonly #renderers: Renderers
  readonly #voice: PageVoice
  readonly #instanceFolder: string
  readonly #timer: NodeJS.Timeout
  #tree: readonly ProcessIdentity[] = []
  #death: PageDeath | undefined
  #isEndedByUs = false

  private constructor(
    instance: string,
    run: Run,
    devtools: DevTools,
    page: Page,
    app: AppManifest,
    instanceFolder: string,
    renderers: Renderers,
  ) {
    this.instance = instance
    this.process = run.process
    if (run.held !== undefined) this.held = run.held
    this.#run = run
    this.#devtools = devtools
    this.#page = page
    this.#renderers = renderers
    this.#instanceFolder = instanceFolder
    this.#voice = new PageVoice(page, app.health.heartbeatMs, () => void this.#close())
    this.voice = this.#voice.supervisorEnd
    void page.died.then((death) => {
      this.#death = death
      return run.kill()
    })
    this.#look()
    this.#timer = setInterval(() => this.#look(), lookMs)
    this.#timer.unref()
    this.exited = run.exited.then((record) => this.#ended(record))
  }

  /** Holds the renderers, opens the page where it is not open yet, and says so. */
  static async begin(
    instance: string,
    run: Run,
    devtools: DevTools,
    page: Page,
    app: AppManifest,
    instanceFolder: string,
    user: { readonly uid: number; readonly gid: number } | undefined,
    address: string | undefined,
  ): Promise<PageApp> {
    const renderers = new Renderers(() => run.pids(), app.resourceLimits.maxMemory, user)
    await renderers.start()
    const launched = new PageApp(instance, run, devtools, page, app, instanceFolder, renderers)
    const ready = () => launched.#voice.ready()
    if (address === undefined) ready()
    // A page that does not load is not ready: that is seen by its time to become ready.
    else
      void page
        .open(address, app.health.readyMs)
        .then(ready, (error: Error) => launched.#say(`not opened: ${error.message}`))
    return launched
  }

  async pids(): Promise<readonly number[]> {
    return this.#run.pids()
  }

  signal(name: NodeJS.Signals): boolean {
    // A browser knows no SIGUSR2: what is asked for is where the page is.
    if (name === 'SIGUSR2') {
      void this.#page.stack(stackMsMax).then(
        (stack) => this.#say(stack),
        (error: Error) => this.#say(error.message),
      )
      return this.#run.pids().length > 0
    }
    return this.#run.signal(name)
  }

  async kill(): Promise<void> {
    this.#isEndedByUs = true
    await this.#run.kill()
  }

  release(): void {
    clearInterval(this.#timer)
    this.#renderers.stop()
    this.#voice.close()
    this.#devtools.close()
    this.#run.release()
  }

  evaluate(expression: string): Promise<unknown> {
    return this.#page.evaluate(expression)
  }

  /** Ends the browser in order, and where it does not end, at once. */
  async #close(): Promise<void> {
    void this.#page.close().catch(() => {})
    const timer = setTimeout(() => void this.#run.kill(), closeMsMax)
    await this.#run.exited
    clearTimeout(timer)
  }

  /** What is said of a page that hangs or does not load, for the report. */
  async #say(text: string): Promise<void> {
    const file = path.join(this.#instanceFolder, 'page.txt')
    // The app's user may write in this folder: nothing that it put there is followed.
    await rm(file, { force: true }).catch(() => {})
    await writeFile(file, `${text}\n`, { flag: 'wx' }).catch(() => {})
  }

  /** Keeps in mind who is of the tree: a browser whose launcher was killed leaves processes that nobody has listed. */
  #look(): void {
    const tree = this.#run.pids().map(identityOf)
    if (tree.length > 0) this.#tree = tree.filter((found) => found !== undefined)
  }

  async #ended(record: ExitRecord): Promise<ExitRecord> {
    clearInterval(this.#timer)
    await endAll(this.#tree)
    this.#renderers.stop()
    this.#voice.close()
    this.#devtools.close()
    const death = this.#death
    if (death === undefined || this.#isEndedByUs) return record
    // The browser was ended because its page was gone: the page's end is the app's.
    const isOutOfMemory = death.status === 'oom' || this.#renderers.wasAtLimit()
    const number = death.errorCode & 0x7f
    return {
      ...record,
      code: number === 0 ? death.errorCode >> 8 : null,
      signal: number === 0 ? null : signalName(number),
      endedBy: null,
      oomKilled: record.oomKilled || isOutOfMemory,
    }
  }
}

/** Where the launcher serves the DevTools pipe of a run, in a folder that no other user can change. */
function devtoolsSocket(runFolder: string): string {
  const socket = shortSocketPath(path.join(runFolder, 'devtools.sock'))
  holdSocketFolder(socket)
  return socket
}

/** The user of a running process, where it is another than ours. */
function userOf(pid: number): { readonly uid: number; readonly gid: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])
    const gid = Number(/^Gid:\s+(\d+)/m.exec(status)?.[1])
    return uid === process.getuid?.() ? undefined : { uid, gid }
  } catch {
    return undefined
  }
}

function launchError(uuid: string, step: string, why: string) {
  return hostError('HOST_LAUNCH', `${uuid} could not be started: ${step}: ${why}`, {
    uuid,
    step,
    errno: null,
  })
}

/** Connects once the browser answers. */
async function connected(run: Run, runFolder: string, uuid: string): Promise<DevTools> {
  const socket = devtoolsSocket(runFolder)
  let end: ExitRecord | undefined
  void run.exited.then((record) => {
    end = record
  })
  const until = performance.now() + browserMsMax
  for (;;) {
    try {
      const devtools = await DevTools.connect(socket)
      await devtools.call('Browser.getVersion', {}, undefined, browserMsMax)
      return devtools
    } catch (error) {
      if (end !== undefined) throw launchError(uuid, 'browser', refusalOf(end, runFolder))
      if (performance.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

/** How a browser ended that did not start, and what it said. */
function refusalOf({ code, signal }: ExitRecord, runFolder: string): string {
  const lines = lastWordsOf(runFolder).trim().split('\n')
  // What ended it is one line among what others of its processes have to say.
  const fatal = lines.findLast((line) => line.includes(':FATAL:'))
  const said = (fatal ?? lines.join('\n').slice(-saidMax)).slice(0, saidMax)
  const how = signal ?? `code ${code}`
  return `the browser ended at its start with ${how}; it said ${said === '' ? 'nothing' : `"${said}"`}`
}
