/** `pos-kernel host top`: the apps in the terminal, again each second. Without a terminal it prints once. */
import type { Command } from 'commander'
import { Operator } from '../../host/supervisor/operator.js'
import type { AppStatus, HostStatus } from '../../host/supervisor/status.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson, table } from '../output.js'
import { appHead, appRow, hostLine } from './text.js'

const orders = {
  a: { name: 'attention', key: ({ state }: AppStatus) => troubles.indexOf(state) },
  m: { name: 'memory', key: ({ sample }: AppStatus) => -(sample?.memory ?? -1) },
  c: { name: 'cpu', key: ({ sample }: AppStatus) => -(sample?.cpu ?? -1) },
  r: { name: 'restarts', key: ({ restarts }: AppStatus) => -restarts },
} as const

type Order = keyof typeof orders

/** From what needs a look to what is at rest. */
const troubles: readonly AppStatus['state'][] = [
  'quarantined',
  'backoff',
  'degraded',
  'draining',
  'stopping',
  'starting',
  'ready',
  'idle',
  'stopped',
]

const sequence = '\u001b['
const screen = {
  enter: `${sequence}?1049h${sequence}?25l`,
  leave: `${sequence}?25h${sequence}?1049l`,
  home: `${sequence}H`,
  endOfLine: `${sequence}K`,
  endOfScreen: `${sequence}J`,
  inverse: `${sequence}7m`,
  plain: `${sequence}0m`,
}

/** Registers the command. */
export function register(host: Command): void {
  host
    .command('top')
    .summary('the apps in the terminal, again each second')
    .description(
      'Shows every app, again each second, as large as the terminal is. Keys: a, m, c and r order by attention, memory, CPU and ' +
        'restarts; q or Ctrl-C ends. Where no terminal is it prints once; with --json one status a line, until interrupted.',
    )
    .addHelpText('after', '\nExample:\n  pos-kernel host top --root ./store')
    .action(async (_options: object, command: Command) => {
      const globals = globalsOf(command)
      const root = storeOf(globals)
      if (globals.json) await follow(root, printJson)
      else if (process.stdout.isTTY && process.stdin.isTTY) await watch(root)
      else await printOnce(root)
    })
}

async function printOnce(root: string): Promise<void> {
  const operator = await Operator.connect(root)
  try {
    const status = await operator.ask('status', {})
    const now = Date.now()
    print(hostLine(status, now))
    const apps = ordered(status.apps, 'a')
    table(
      appHead,
      apps.map((app) => appRow(app, now)),
    )
  } finally {
    operator.close()
  }
}

/** Tells every status until the host ends, a signal comes, or `stop` does. */
async function follow(
  root: string,
  onStatus: (status: HostStatus) => void,
  stop: Promise<void> = new Promise(() => {}),
): Promise<void> {
  let ended = () => {}
  const end = new Promise<void>((resolve) => {
    ended = resolve
  })
  const operator = await Operator.connect(root, { onStatus, onEnd: () => ended() })
  process.once('SIGINT', ended)
  process.once('SIGTERM', ended)
  try {
    await operator.ask('follow', {})
    onStatus(await operator.ask('status', {}))
    await Promise.race([end, stop])
  } finally {
    process.off('SIGINT', ended).off('SIGTERM', ended)
    operator.close()
  }
}

async function watch(root: string): Promise<void> {
  const { stdin, stdout } = process
  let order: Order = 'a'
  let latest: HostStatus | undefined
  let quit = () => {}
  const stopped = new Promise<void>((resolve) => {
    quit = resolve
  })
  const draw = () => {
    if (latest === undefined) return
    stdout.write(screenText(latest, order, stdout.columns, stdout.rows, Date.now()))
  }
  const onKey = (bytes: Buffer) => {
    const key = bytes.toString('latin1')
    // In raw mode Ctrl-C is a character.
    if (key === 'q' || key === '\u0003') quit()
    else if (key in orders) {
      order = key as Order
      draw()
    }
  }
  stdin.setRawMode(true)
  stdin.on('data', onKey)
  stdout.on('resize', draw)
  stdout.write(screen.enter)
  try {
    const show = (status: HostStatus) => {
      latest = status
      draw()
    }
    await follow(root, show, stopped)
  } finally {
    stdout.write(screen.leave)
    stdout.off('resize', draw)
    stdin.off('data', onKey)
    stdin.setRawMode(false)
    stdin.pause()
  }
}

/** A whole screen, drawn over the one before: no line is longer than the terminal, and none more than it has. */
export function screenText(
  status: HostStatus,
  order: Order,
  columns: number,
  rows: number,
  now: number,
): string {
  const apps = ordered(status.apps, order)
  const cells = [appHead, ...apps.map((app) => appRow(app, now).map(String))]
  const widths = appHead.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  )
  const lines = cells.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '),
  )
  const fitting = rows - 3
  const hidden = apps.length - fitting
  const shown = lines.slice(0, 1 + Math.max(0, fitting))
  const foot =
    hidden > 0
      ? `${hidden} more; by ${orders[order].name}; a m c r q`
      : `by ${orders[order].name}; keys a m c r order, q ends`
  const text = [hostLine(status, now), ...shown, foot].map((line, index) => {
    const cut = line.slice(0, columns)
    const look = index === 1 ? `${screen.inverse}${cut.padEnd(columns)}${screen.plain}` : cut
    return `${look}${screen.endOfLine}`
  })
  return `${screen.home}${text.slice(0, rows).join('\r\n')}${screen.endOfScreen}`
}

function ordered(apps: readonly AppStatus[], order: Order): AppStatus[] {
  const { key } = orders[order]
  return [...apps].sort((a, b) => key(a) - key(b))
}
