/** `pos-kernel host questions` and `host answer`: intents for which a person says which app handles them. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { OpenQuestion } from '../../host/agent/questions.js'
import type { IntentChoice } from '../../host/agent/resolver.js'
import { hostError } from '../../host/error.js'
import { Operator } from '../../host/supervisor/operator.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson } from '../output.js'
import { printable } from './text.js'

const everyMs = 1000
const timeoutMs = 10_000

/** Registers the commands. */
export function register(host: Command): void {
  host
    .command('questions')
    .summary('intents that wait for somebody to say which app handles them')
    .description(
      'Tells which intents of FDC3 wait for a person, and who could handle each. Whoever asks is there to answer: for ten ' +
        'seconds from then, and all the time with --follow, the host asks instead of deciding by itself.',
    )
    .option('--follow', 'go on, and tell each as it comes')
    .addHelpText('after', '\nExample:\n  pos-kernel host questions --follow --root ./store')
    .action(async ({ follow }: { readonly follow?: true }, command: Command) => {
      const globals = globalsOf(command)
      const show = (question: OpenQuestion) =>
        globals.json ? printJson(question) : print(questionText(question, Date.now()))
      const operator = await Operator.connect(storeOf(globals))
      try {
        const told = new Set<string>()
        do {
          const open = await operator.ask('questions', {}, { timeoutMs })
          for (const question of open.filter(({ id }) => !told.has(id))) {
            told.add(question.id)
            show(question)
          }
          if (!follow && !globals.json && open.length === 0) print('no intent waits for anybody')
          if (follow) await delay(everyMs)
        } while (follow)
      } finally {
        operator.close()
      }
    })
  host
    .command('answer')
    .argument('<id>', 'the question, or how its id begins')
    .argument('[app]', 'the app or the instance that handles it')
    .summary('say which app handles an intent')
    .description(
      'Answers a question of "host questions": by an app or an instance that was offered, or by a refusal.',
    )
    .option('--intent <name>', 'which intent, where more than one is offered')
    .addOption(new Option('--refuse', 'nobody handles it').default(false))
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel host answer 5f3a loyalty --root ./store
  pos-kernel host answer 5f3a --refuse --root ./store`,
    )
    .action(
      async (begin: string, app: string | undefined, options: AnswerOptions, self: Command) => {
        const globals = globalsOf(self)
        const operator = await Operator.connect(storeOf(globals))
        try {
          const question = questionOf(await operator.ask('questions', {}, { timeoutMs }), begin)
          const choice = choiceOf(question, app, options)
          const argument = { id: question.id, ...(choice && { choice }) }
          const { taken } = await operator.ask('answer', argument, { timeoutMs })
          if (!taken) throw refused('id', question.id, `${question.id} was decided before`)
          if (globals.json) printJson({ ok: true, action: 'answer', ...argument })
          else if (choice === undefined) print(`${question.id} is refused`)
          else print(`${choice.intent} goes to ${choice.app.instanceId ?? choice.app.appId}`)
        } finally {
          operator.close()
        }
      },
    )
}

interface AnswerOptions {
  readonly intent?: string
  readonly refuse: boolean
}

function questionOf(open: readonly OpenQuestion[], begin: string): OpenQuestion {
  const [question, ...more] = open.filter(({ id }) => id.startsWith(begin))
  if (question !== undefined && more.length === 0) return question
  const count = question === undefined ? 'no' : 'more than one'
  const known = open.map(({ id }) => id).join(', ')
  throw refused('id', begin, `${count} question begins with ${begin}; open are: ${known || 'none'}`)
}

/** Undefined for a refusal. */
function choiceOf(
  { options }: OpenQuestion,
  app: string | undefined,
  { intent, refuse }: AnswerOptions,
): IntentChoice | undefined {
  if (refuse !== (app === undefined)) {
    throw refused('app', app, 'name the app that handles it, or say --refuse')
  }
  if (app === undefined) return undefined
  const found = options
    .filter(({ intent: { name } }) => intent === undefined || name === intent)
    .flatMap(({ intent: { name }, apps }) =>
      apps
        .filter(({ appId, instanceId }) => instanceId === app || appId === app)
        .map(({ appId, instanceId }) => ({
          intent: name,
          app: instanceId === undefined ? { appId } : { appId, instanceId },
        })),
    )
  const [choice] = found
  if (choice === undefined) {
    const known = options.flatMap(({ apps }) => apps.map(({ appId }) => appId))
    const offered = [...new Set(known)].join(', ')
    throw refused('app', app, `${app} is not offered; offered are: ${offered}`)
  }
  if (new Set(found.map(({ intent: name }) => name)).size > 1) {
    const names = [...new Set(found.map(({ intent: name }) => name))].join(', ')
    throw refused('intent', intent, `${app} could handle ${names}: say which with --intent`)
  }
  return choice
}

function questionText({ id, from, context, options, endsAt }: OpenQuestion, now: number): string {
  const left = Math.max(0, Math.ceil((endsAt - now) / 1000))
  const lines = options.flatMap(({ intent: { name }, apps }) =>
    apps.map(({ appId, instanceId, title }) => {
      const state = instanceId === undefined ? 'is started' : 'runs'
      return `  ${name}: ${instanceId ?? appId}  ${title ?? ''} (${state})`
    }),
  )
  const asks = from.instanceId ?? from.appId
  return [`${id}  ${asks} with ${context.type}, ${left} s left`, ...lines]
    .map((line) => printable(line.replaceAll('\n', ' ')))
    .join('\n')
}

function refused(path: string, value: unknown, message: string): Error {
  return hostError('HOST_ARGUMENT', message, { method: 'answer', path, value })
}
