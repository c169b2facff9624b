/** `pos-kernel host logs UUID`: what the processes of an app printed. Needs no host that runs. */
import { constants } from 'node:fs'
import fs from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { hostError } from '../../host/error.js'
import { uuidSchema } from '../../host/manifest/manifest.js'
import { HostPlace } from '../../host/place.js'
import { readUntrusted } from '../../host/untrusted.js'
import { globalsOf, storeOf } from '../globals.js'
import { stream, streamJson } from '../output.js'
import { numberOf } from '../store/options.js'
import { printable } from './text.js'

interface Options {
  readonly follow?: true
  readonly lines: number
}

/** Bytes of each generation that are looked at for the lines that were. */
const tailBytesMax = 4 * 1024 * 1024
const chunkBytes = 64 * 1024
const lookMs = 200

/** Registers the command. */
export function register(host: Command): void {
  host
    .command('logs')
    .argument('<uuid>', 'the app')
    .summary('what the processes of an app printed')
    .description(
      'Prints the latest lines of an app, of all its runs. With --follow it goes on until it is interrupted. Characters that ' +
        'would command a terminal are taken out; with --json each line is {"uuid", "line"}.',
    )
    .option('--lines <n>', 'how many of those that were', numberOf, 100)
    .option('--follow', 'go on with what comes')
    .addHelpText('after', '\nExample:\n  pos-kernel host logs till-01 --root ./store --follow')
    .action(async (uuid: string, options: Options, command: Command) => {
      const globals = globalsOf(command)
      const say = (line: string) =>
        globals.json ? streamJson({ uuid, line }) : stream(printable(line))
      await run(new HostPlace(storeOf(globals)), uuid, options, say)
    })
}

async function run(
  place: HostPlace,
  uuid: string,
  { lines, follow }: Options,
  say: (line: string) => Promise<void>,
): Promise<void> {
  if (!uuidSchema.safeParse(uuid).success || !(await exists(place.app(uuid)))) {
    const known = await fs.readdir(place.file('apps')).catch(() => [])
    const message = `there is no app ${uuid.slice(0, 80)} in ${place.root}; there are: ${known.join(', ')}`
    throw hostError('HOST_UNKNOWN_APP', message, { uuid: uuid.slice(0, 80), known })
  }
  const file = place.app(uuid, 'log', 'out.log')
  const before = await textOf(place.app(uuid, 'log', 'out.1.log'))
  const now = await readUntrusted(file, tailBytesMax, 'tail')
  const text = before + (typeof now === 'string' ? '' : now.toString('utf8'))
  const all = text.split('\n')
  const rest = all.pop() ?? ''
  for (const line of all.slice(-lines)) await say(line)
  if (follow) await goOn(file, rest, say)
  else if (rest !== '') await say(rest)
}

/** Reads on where it stands; a file that took the place of the old one is read from its beginning. */
async function goOn(file: string, begun: string, say: (line: string) => Promise<void>) {
  const end = new AbortController()
  process.once('SIGINT', () => end.abort())
  process.once('SIGTERM', () => end.abort())
  const buffer = Buffer.allocUnsafe(chunkBytes)
  let rest = begun
  let place: { inode: number; at: number } | undefined
  while (!end.signal.aborted) {
    const handle = await fs
      .open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      .catch(() => undefined)
    try {
      const stat = await handle?.stat()
      if (handle !== undefined && stat?.isFile()) {
        const isSame = place?.inode === stat.ino && stat.size >= place.at
        // What was there at the beginning has been shown.
        place = isSame ? place : { inode: stat.ino, at: place === undefined ? stat.size : 0 }
        for (;;) {
          const { bytesRead } = await handle.read(
            buffer,
            0,
            chunkBytes,
            (place as { at: number }).at,
          )
          if (bytesRead === 0) break
          ;(place as { at: number }).at += bytesRead
          const lines = (rest + buffer.toString('utf8', 0, bytesRead)).split('\n')
          rest = lines.pop() ?? ''
          for (const line of lines) await say(line)
        }
      }
    } finally {
      await handle?.close()
    }
    await delay(lookMs, undefined, { signal: end.signal }).catch(() => {})
  }
}

async function textOf(file: string): Promise<string> {
  const bytes = await readUntrusted(file, tailBytesMax, 'tail')
  return typeof bytes === 'string' ? '' : bytes.toString('utf8')
}

async function exists(folder: string): Promise<boolean> {
  return fs.access(folder).then(
    () => true,
    () => false,
  )
}
