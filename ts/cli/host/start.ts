/** `pos-kernel host start MANIFEST`: the supervisor of a store, in this process or in one that stays behind. */
import { spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { type Dashboard, startDashboard } from '../../host/dashboard/dashboard.js'
import { hostError } from '../../host/error.js'
import {
  type HostManifestInput,
  parseManifest,
  requireScripts,
} from '../../host/manifest/manifest.js'
import { HostPlace } from '../../host/place.js'
import { type Host, startHost } from '../../host/start.js'
import { Operator } from '../../host/supervisor/operator.js'
import type { HostEvent } from '../../host/supervisor/status.js'
import { exitCodes } from '../failure.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson } from '../output.js'
import { portOf } from './dashboard.js'
import { eventLine } from './text.js'

interface Options {
  readonly keep?: true
  readonly detach?: true
  readonly dashboard: boolean
  readonly port?: number
}

const main = fileURLToPath(new URL('../main.js', import.meta.url))
/** A detached host has so long to answer. */
const detachedMs = 60_000

/** Registers the command. */
export function register(host: Command): void {
  host
    .command('start')
    .argument('<manifest>', 'the host manifest, JSON')
    .summary('run the host of a store until it is shut down')
    .description(
      'Starts the apps of the manifest, each a supervised process, takes over those that run already, and serves the ' +
        'dashboard, whose address it prints. SIGINT and SIGTERM shut down in order. With --json one line each: started, ' +
        'every event, over.',
    )
    .option('--detach', 'stay behind as a process of its own, and come back when the host answers')
    .option(
      '--keep',
      'SIGINT and SIGTERM end the host alone; the apps go on, and the next start takes them over',
    )
    .option('--no-dashboard', 'without the dashboard')
    .option('--port <n>', 'port of the dashboard; any that is free unless given', portOf)
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel host start examples/host/clock.json --root ./store
  pos-kernel host start store.json --root ./store --detach --json`,
    )
    .action(async (file: string, options: Options, command: Command) => {
      const globals = globalsOf(command)
      const root = storeOf(globals)
      const manifest = readManifest(file)
      if (options.detach) await detach(root, file, options, globals.json === true)
      else await run(root, file, manifest, options, globals.json === true)
    })
}

/** Reads and checks it here, so that a detached start says what is wrong with it. */
function readManifest(file: string): HostManifestInput {
  const text = readFileSync(file, 'utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const message = `manifest: ${file} is no JSON: ${(error as Error).message}`
    throw hostError('HOST_MANIFEST', message, { path: '', value: file, limit: 'JSON' })
  }
  requireScripts(parseManifest(value, folderOf(file)))
  return value as HostManifestInput
}

function folderOf(file: string): string {
  return path.dirname(path.resolve(file))
}

async function run(
  root: string,
  file: string,
  manifest: HostManifestInput,
  options: Options,
  json: boolean,
): Promise<void> {
  let interrupt = () => {}
  const interrupted = new Promise<'interrupted'>((resolve) => {
    interrupt = () => resolve('interrupted')
  })
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  const host = await startHost({ root, manifest, manifestFolder: folderOf(file) })
  host.follow((event) => say(event, json))
  let dashboard: Dashboard | undefined
  try {
    if (options.dashboard) dashboard = await startDashboard(portPart(root, options))
    tellStarted(root, process.pid, dashboard?.address, json)
    const why = await Promise.race([interrupted, host.closed])
    if (why === 'interrupted') await end(host, options, json)
  } finally {
    await dashboard?.stop()
    await (options.keep ? host.leave() : host.close())
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

async function end(host: Host, { keep }: Options, json: boolean): Promise<void> {
  if (keep) {
    await host.leave()
    if (json) printJson({ event: 'over', kept: true })
    else print('the host has left; the apps go on')
    return
  }
  const result = await host.shutdown({ reason: 'the host was interrupted' })
  const late = result.ended.filter(({ acknowledged }) => !acknowledged)
  if (json) printJson({ event: 'over', ...result })
  else print(`${result.ended.length - late.length} of ${result.ended.length} apps ended in order`)
  if (late.length > 0) process.exitCode = exitCodes.refused
}

function portPart(root: string, { port }: Options) {
  return { root, ...(port !== undefined && { port }) }
}

function say(event: HostEvent, json: boolean): void {
  if (json) printJson({ event: event.type, ...event })
  else print(eventLine(event))
}

function tellStarted(root: string, pid: number, address: string | undefined, json: boolean): void {
  if (json) {
    printJson({ event: 'started', root, pid, dashboard: address ?? null })
    return
  }
  print(`host of ${root}, process ${pid}`)
  if (address !== undefined) print(`dashboard ${address}`)
}

/** Starts this command once more as a process that nobody waits for, and waits until it answers. */
async function detach(root: string, file: string, options: Options, json: boolean): Promise<void> {
  const place = new HostPlace(root)
  mkdirSync(place.folder, { recursive: true })
  const log = place.file('host.log')
  const out = openSync(log, 'a', 0o600)
  const from = readFileSync(log).length
  const args = [main, 'host', 'start', path.resolve(file), '--root', root, '--json']
  if (!options.dashboard) args.push('--no-dashboard')
  if (options.keep) args.push('--keep')
  if (options.port !== undefined) args.push('--port', String(options.port))
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', out, out] })
  let hasEnded = false
  child.once('close', () => {
    hasEnded = true
  })
  const until = performance.now() + detachedMs
  for (;;) {
    const lines = linesOf(log, from)
    const started = lines.find(({ event }) => event === 'started')
    if (started !== undefined) {
      child.unref()
      const operator = await Operator.connect(root)
      operator.close()
      const address = (started.dashboard as string | null) ?? undefined
      tellStarted(root, Number(started.pid), address, json)
      return
    }
    if (hasEnded) throw failureOf(lines, log)
    if (performance.now() > until) {
      child.kill('SIGTERM')
      const message = `the host did not answer within ${detachedMs} ms; ${log} says more`
      throw hostError('HOST_TIMED_OUT', message, { method: 'start', timeoutMs: detachedMs })
    }
    await delay(25)
  }
}

function linesOf(log: string, from: number): Record<string, unknown>[] {
  const text = readFileSync(log).subarray(from).toString('utf8')
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Record<string, unknown>]
    } catch {
      return []
    }
  })
}

function failureOf(lines: readonly Record<string, unknown>[], log: string): Error {
  const { code, message, facts } = lines.find(({ ok }) => ok === false) ?? {}
  return hostError(
    typeof code === 'string' ? code : 'HOST_FAILED',
    typeof message === 'string' ? message : `the host ended at its start; ${log} says more`,
    (facts as Record<string, unknown> | undefined) ?? { log },
  )
}
