/**
 * The hosts of the C library, as `npm run build:hosts` left them in target/hosts/.
 *
 * Each is `undefined` where this machine cannot have it; {@link needing} then makes of a test one
 * that is counted as skipped and says why.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import test, { type TestFn } from 'ava'
import { type Ended, ended, projectRoot, type StartOptions } from './child.js'

const folder = path.join(projectRoot, 'target/hosts')
const library = path.join(projectRoot, 'target/capi/lib')

/** The folder that `npm run build:capi` made: include/, lib/, lib/pkgconfig/. */
export const prefix = path.join(projectRoot, 'target/capi')

/** A program and the arguments that stand before its own. */
export type Command = readonly [string, ...string[]]

/** A program in C, plain or with sanitizers (`NAME-sanitized`). */
export function inC(name: string): Command | undefined {
  const file = path.join(folder, name)
  return existsSync(file) ? [file] : undefined
}

/** A program in C inside a tool of valgrind, which ends with 99 when it found something. */
export function inValgrind(
  name: string,
  tool: 'memcheck' | 'helgrind' = 'memcheck',
): Command | undefined {
  const program = inC(name)
  if (program === undefined || !has('valgrind')) return undefined
  if (tool === 'helgrind') {
    const known = `--suppressions=${path.join(projectRoot, 'crates/capi/tests/c/helgrind.supp')}`
    return ['valgrind', '-q', '--tool=helgrind', '--error-exitcode=99', known, ...program]
  }
  // What is only "possibly lost" is the standard library's own record of a thread, held by a pointer
  // into its middle.
  const leaks = ['--leak-check=full', '--show-leak-kinds=definite,indirect']
  const checks = ['--error-exitcode=99', '--errors-for-leak-kinds=definite,indirect', ...leaks]
  return ['valgrind', '-q', ...checks, ...program]
}

/** The C# host. */
export function inSharp(): Command | undefined {
  const file = path.join(folder, 'host.exe')
  return existsSync(file) && has('mono') ? ['mono', file] : undefined
}

/** A program of the Python host. */
export function inPython(name: string): Command | undefined {
  const file = path.join(projectRoot, 'examples/python', `${name}.py`)
  return existsSync(library) && has('python3') ? ['python3', '-B', file] : undefined
}

/** A test, or one that says which host is missing. */
export function needing(
  what: string,
  command: Command | undefined,
): [TestFn | typeof test.skip, string] {
  return command === undefined
    ? [test.skip, ` (not run: ${what} is missing; npm run build:hosts says why)`]
    : [test, '']
}

/** Starts a host. */
export function startHost(
  command: Command,
  args: readonly string[],
  { env, cwd = projectRoot }: StartOptions = {},
): ChildProcess {
  const { NODE_OPTIONS: _, POS_KERNEL_ROOT: __, POS_TERMINAL_ID: ___, ...inherited } = process.env
  const [program, ...first] = command
  const found = {
    LD_LIBRARY_PATH: library,
    DYLD_LIBRARY_PATH: library,
    POS_KERNEL_LIBRARY: path.join(library, `libpos_kernel.${suffix}`),
  }
  return spawn(program, [...first, ...args], {
    cwd,
    env: { ...inherited, ...found, ...env },
    stdio: 'pipe',
  })
}

/** Runs a host to its end. */
export function host(
  command: Command,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Ended> {
  return ended(startHost(command, args, options), options.input)
}

const suffix = process.platform === 'darwin' ? 'dylib' : 'so'

/** Whether a program is installed. */
export function has(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0
}
