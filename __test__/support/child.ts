/** Child processes of tests: the command as users start it, and small programs. */
import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

const command = path.join(projectRoot, 'dist/cli/main.js')

/** How a process ended and what it said. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** How to start a process. */
export interface StartOptions {
  readonly input?: string | Buffer
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
}

/** Runs `pos-kernel` to its end. */
export function posKernel(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return ended(start([command, ...args], options), options.input)
}

/** Runs a program of this folder's `programs/` to its end. */
export function program(
  name: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Ended> {
  return ended(startProgram(name, args, options), options.input)
}

/** Starts a program of this folder's `programs/`. */
export function startProgram(
  name: string,
  args: readonly string[],
  options: StartOptions = {},
): ChildProcess {
  return start([path.join(projectRoot, '__test__/support/programs', name), ...args], options)
}

/** The JSON lines of an output. */
export function jsonLines(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** Waits for the end of a process. */
export function ended(child: ChildProcess, input: string | Buffer = ''): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  // A process that ends without reading its input breaks the pipe; its exit code tells more.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

function start(args: readonly string[], { env, cwd = projectRoot }: StartOptions): ChildProcess {
  // The loader that compiles the tests is not what users run with.
  const { NODE_OPTIONS: _, POS_KERNEL_ROOT: __, POS_TERMINAL_ID: ___, ...inherited } = process.env
  return spawn(process.execPath, args, { cwd, env: { ...inherited, ...env }, stdio: 'pipe' })
}
