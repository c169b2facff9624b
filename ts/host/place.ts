/**
 * Where the host keeps what it keeps: a folder beside the terminals of a store.
 *
 * ```text
 * <root>/host/
 *   host.lock  host.owner.json       one supervisor a store; the lock is the truth, the record is information
 *   manifest.json                    what it was started with, as it was read
 *   control.sock  bus.sock           or, where that path is too long, in a folder of this user: `socket.ts`
 *   events.jsonl  events.1.jsonl     what happened
 *   supervisor.json                  counters that outlive a supervisor: generations, failures, quarantine
 *   reports/<instance>/              a crash bundle
 *   apps/<uuid>/
 *     data/                          the app's own folder, owned by its user; its state is in data/state/
 *     log/out.log  log/out.1.log     what its processes printed
 *     instances/<instance>/          what the app may write of a run
 *       hang.json  node-*.json       what the watchdog and the runtime left
 *       page.txt                     where a page stood, or why it did not open
 *     runs/<instance>/               what is true of a run: the host alone reads and writes here
 *       instance.json                who runs: boot id, pid, start time, user, control groups
 *       exit.json  last.log          how it ended, and the end of what it printed; written by the launcher
 *       orders                       the pipe on which a later supervisor speaks to the launcher
 *       devtools.sock                the DevTools pipe of a page, held by the launcher
 * ```
 */
import path from 'node:path'
import { shortSocketPath } from './socket.js'

/** The paths of one store's host. */
export class HostPlace {
  /** The store's folder. */
  readonly root: string
  /** The host's folder in it. */
  readonly folder: string

  constructor(root: string) {
    this.root = path.resolve(root)
    this.folder = path.join(this.root, 'host')
  }

  /** A file or folder of the host. */
  file(...names: string[]): string {
    return path.join(this.folder, ...names)
  }

  /** A folder or file of an app. */
  app(uuid: string, ...names: string[]): string {
    return path.join(this.folder, 'apps', uuid, ...names)
  }

  /** A folder or file of a run of an app, where the app may write. */
  instance(instance: string, ...names: string[]): string {
    return this.app(uuidOf(instance), 'instances', instance, ...names)
  }

  /** A folder or file of a run of an app, where only the host may write. */
  run(instance: string, ...names: string[]): string {
    return this.app(uuidOf(instance), 'runs', instance, ...names)
  }

  /** Where the supervisor listens. */
  get controlSocket(): string {
    return this.#socket('control.sock')
  }

  /** Where the broker listens. */
  get busSocket(): string {
    return this.#socket('bus.sock')
  }

  #socket(name: string): string {
    return shortSocketPath(this.file(name))
  }
}

/** The name of a run: the app's uuid and a number that is never used twice in a store. */
export function instanceName(uuid: string, generation: number): string {
  return `${uuid}.${generation}`
}

/** The app that an instance is a run of. */
export function uuidOf(instance: string): string {
  return instance.slice(0, instance.lastIndexOf('.'))
}
