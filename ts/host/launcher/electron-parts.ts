/**
 * What is used of Electron: its own typings are assignable to these, which the compiler checks. What the members do is
 * written down from Electron's documentation, its source and its own tests (45.4, `docs/api/utility-process.md`,
 * `docs/api/app.md`, `shell/browser/api/electron_api_utility_process.cc`, `spec/api-utility-process-spec.ts`).
 */
import type { Lacks } from './launcher.js'

/** What nobody can give a process that Electron starts. */
export const electronLacks = {
  survival: 'a utility process ends with the main process of Electron',
  confinement: ['user', 'reach', 'processes', 'files', 'cpuPercent', 'pollBytes'],
} as const satisfies Lacks

/** A utility process. */
export interface UtilityProcessLike {
  /** Undefined before `spawn` and after `exit`. */
  readonly pid: number | undefined
  /** What it prints, where it was forked with pipes. */
  readonly stdout: NodeJS.ReadableStream | null
  readonly stderr: NodeJS.ReadableStream | null
  /** Waits in the child until its script listens on `process.parentPort`. */
  postMessage(message: unknown): void
  /** SIGTERM. */
  kill(): boolean
  on(event: 'spawn', listener: () => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  /** V8 cannot go on: `report` is a diagnostic report of Node. `exit` follows. */
  on(
    event: 'error',
    listener: (type: 'FatalError', location: string, report: string) => void,
  ): unknown
}

/** `child-process-gone`: said of a process that crashed, was killed, failed, or ended with another code than 0. */
export interface GoneDetails {
  /** `Utility`, `GPU` and others. */
  readonly type: string
  readonly reason: string
  /** What waitpid gave; of a launch that failed, a number of the platform. */
  readonly exitCode: number
  /** The service: `node.mojom.NodeService` for every utility process that was forked. */
  readonly serviceName?: string
  /** What was given to `fork` as `serviceName`. */
  readonly name?: string
}

/** The parts of Electron: `{ app, utilityProcess }` of `electron` fits. */
export interface ElectronParts {
  readonly utilityProcess: {
    /** Throws before the app is ready. */
    fork(
      modulePath: string,
      args?: string[],
      options?: {
        env?: Record<string, string>
        execArgv?: string[]
        cwd?: string
        serviceName?: string
        stdio?: 'inherit' | 'ignore' | 'pipe'
      },
    ): UtilityProcessLike
  }
  readonly app: {
    whenReady(): Promise<void>
    on(
      event: 'child-process-gone',
      listener: (event: unknown, details: GoneDetails) => void,
    ): unknown
  }
}
