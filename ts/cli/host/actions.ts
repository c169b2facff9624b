/** `pos-kernel host launch|drain|restart|recycle|kill|release UUID`: one app, one thing. */
import { type Command, InvalidArgumentError } from 'commander'
import { askHost } from '../../host/supervisor/operator.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson } from '../output.js'

interface Verb {
  readonly name: 'launch' | 'drain' | 'restart' | 'recycle' | 'kill' | 'release'
  readonly asks: 'start' | 'drain' | 'restart' | 'recycle' | 'kill' | 'release'
  readonly summary: string
  readonly description: string
}

const verbs: readonly Verb[] = [
  {
    name: 'launch',
    asks: 'start',
    summary: 'start an app that is idle or stopped',
    description:
      'Starts an app that is idle or stopped. Of one that runs it says which instance it is.',
  },
  {
    name: 'drain',
    asks: 'drain',
    summary: 'let an app finish, save its state and end',
    description:
      'The app takes nothing new, finishes what is under way, saves its state and ends. It stays stopped until it is launched.',
  },
  {
    name: 'restart',
    asks: 'restart',
    summary: 'end an app and start it again with its state',
    description: 'The app ends in order and starts again with the state that it saved.',
  },
  {
    name: 'recycle',
    asks: 'recycle',
    summary: 'replace an app by a fresh process of itself',
    description:
      'The app finishes what is under way, and a fresh process of it goes on with its state.',
  },
  {
    name: 'kill',
    asks: 'kill',
    summary: 'end all processes of an app at once',
    description:
      'All processes of the app end at once, without being asked. What its journal has acknowledged stays.',
  },
  {
    name: 'release',
    asks: 'release',
    summary: 'let an app out of quarantine',
    description: 'The app is tried again at once, and its failures so far are forgotten.',
  },
]

interface Options {
  readonly deadlineMs?: number
}

/** Beyond the time that an app may take, for the answer. */
const graceMs = 10_000
const waitMs = 120_000

/** Registers the commands. */
export function register(host: Command): void {
  for (const verb of verbs) {
    const command = host
      .command(verb.name)
      .argument('<uuid>', 'the app')
      .summary(verb.summary)
      .description(`${verb.description} Resolves when that is done.`)
    if (verb.name === 'drain') {
      command.option('--deadline-ms <ms>', 'milliseconds that it may take', milliseconds)
    }
    command
      .addHelpText('after', `\nExample:\n  pos-kernel host ${verb.name} till-01 --root ./store`)
      .action(async (uuid: string, { deadlineMs }: Options, self: Command) => {
        const globals = globalsOf(self)
        const argument = { uuid, ...(deadlineMs !== undefined && { deadlineMs }) }
        const timeoutMs = (deadlineMs ?? waitMs) + graceMs
        const answer = await askHost(storeOf(globals), verb.asks, argument, { timeoutMs })
        if (globals.json) {
          printJson({ ok: true, action: verb.name, uuid, ...answer })
          return
        }
        const facts = Object.entries(answer).map(([name, value]) => `${name} ${value}`)
        print(`${verb.name} ${uuid}: ${facts.join(', ')}`)
      })
  }
}

function milliseconds(text: string): number {
  if (!/^\d{1,8}$/.test(text)) throw new InvalidArgumentError('Give milliseconds, 0 to 99999999.')
  return Number(text)
}
