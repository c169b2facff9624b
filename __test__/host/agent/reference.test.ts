/**
 * The agent beside the standard's own, `@finos/fdc3-web-impl`: the same messages go to both, and both have to answer
 * with the same values or errors and send the same contexts and intents to the same instances.
 *
 * What differs on purpose is not compared, or not done: the reference sends a context back to who broadcast it, and for
 * each listener once (the client keeps such to itself); it broadcasts to channels that do not exist; it starts another
 * run of an app that runs; it calls it an error to end a listener twice; it
 * tells an app of its own change of channel; and it does not let `getOrCreateChannel` give a
 * user channel. Of those that listen for an intent it finds all and
 * delivers to each, whatever their records say of contexts and results; of those whose
 * records do not name the intent it finds none.
 */
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { build } from 'esbuild'
import fc from 'fast-check'
import { DesktopAgent } from '../../../ts/host/agent/agent.js'
import { systemClock } from '../../../ts/host/agent/clock.js'
import { AppDirectory } from '../../../ts/host/agent/directory.js'
import { preferRunning } from '../../../ts/host/agent/resolver.js'
import { parseManifest } from '../../../ts/host/manifest/manifest.js'
import { tempFolder } from '../../support/bus.js'
import { projectRoot } from '../../support/child.js'
import { appOf, listensFor } from '../../support/fdc3.js'

const instances = ['till.1', 'kitchen.1', 'bar.1', 'bar.2'] as const
const userChannels = ['fdc3.channel.1', 'fdc3.channel.2']
const directory = {
  till: {},
  kitchen: listensFor({ Cook: [['order'], 'receipt'], Show: [['order', 'basket']] }),
  bar: listensFor({ Cook: [['order']], Mix: [['order'], 'channel<receipt>'] }),
  cellar: listensFor({ Fetch: [['basket']] }),
}

/** Intents of an instance's record, for which it listens. */
function intentsOf(instanceId: string): Record<string, { contexts: string[] }> {
  const record = directory[appIdOf(instanceId) as keyof typeof directory] ?? {}
  return 'intents' in record ? (record.intents as Payload).listensFor : {}
}

interface Message {
  readonly type: string
  readonly payload: Record<string, never>
  readonly meta: { readonly requestUuid?: string; readonly eventUuid?: string }
}

/** One of the two: what it is told, and what it has sent since it was last looked at. */
interface Party {
  say(from: string, message: object): Promise<void>
  readonly sent: { readonly to: string; readonly message: Message }[]
  /** Listeners that it has named, by instance. */
  readonly listeners: Map<string, string[]>
  /** Intents that it has delivered. */
  readonly delivered: { readonly to: string; readonly message: Message }[]
  close(): void
}

function party(say: Party['say'], sent: Party['sent'], close: () => void): Party {
  return { say, sent, listeners: new Map(), delivered: [], close }
}

const appIdOf = (instanceId: string) => instanceId.slice(0, instanceId.indexOf('.'))

function ours(): Party {
  const sent: Party['sent'] = []
  const apps = Object.entries(directory).map(([uuid, fdc3]) => appOf(uuid, fdc3))
  const agent = new DesktopAgent({
    directory: AppDirectory.of(parseManifest({ apps }, '/').apps),
    surroundings: {
      clock: systemClock,
      post: (to, message) => {
        for (const each of to) sent.push({ to: each, message: message as never })
      },
      start: () => new Promise(() => {}),
      report: () => undefined,
    },
  })
  for (const instanceId of instances) agent.connect({ appId: appIdOf(instanceId), instanceId })
  const say = async (from: string, message: object) => {
    agent.receive(from, message)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return party(say, sent, () => agent.close())
}

const missing = isInstalled() ? undefined : '@finos/fdc3-web-impl is not installed'
if (missing !== undefined) console.error(`SKIPPED: the agent beside the reference: ${missing}`)

// biome-ignore lint/suspicious/noExplicitAny: its types are written for a bundler too
type Reference = any

/** The reference, bundled: plain Node cannot load it. */
async function loadReference(t: ExecutionContext): Promise<Reference> {
  const file = path.join(tempFolder(t), 'reference.mjs')
  await build({
    stdin: { contents: "export * from '@finos/fdc3-web-impl'", resolveDir: projectRoot },
    bundle: true,
    format: 'esm',
    platform: 'node',
    drop: ['console'],
    outfile: file,
    logLevel: 'error',
  })
  return import(file)
}

function isInstalled(): boolean {
  try {
    createRequire(path.join(projectRoot, 'package.json')).resolve('@finos/fdc3-web-impl')
    return true
  } catch {
    return false
  }
}

function theirs({ DefaultFDC3Server, BasicDirectory, ChannelType, State }: Reference): Party {
  const sent: Party['sent'] = []
  const connected = instances.map((instanceId) => ({
    appId: appIdOf(instanceId),
    instanceId,
    state: State.Connected,
  }))
  const context = {
    createUUID: () => randomUUID(),
    post: async (message: Message, to: string) => void sent.push({ to, message }),
    open: () => new Promise(() => {}),
    setFDC3Server: () => undefined,
    getInstanceDetails: (id: string) => connected.find(({ instanceId }) => instanceId === id),
    getConnectedApps: async () => connected.map(({ state: _, ...app }) => app),
    getAllApps: async () => connected,
    isAppConnected: async (id: string) => connected.some(({ instanceId }) => instanceId === id),
    setAppState: async () => undefined,
    log: () => undefined,
    provider: () => 'reference',
    providerVersion: () => '0',
    fdc3Version: () => '2.2',
    // The same decision as ours: what is compared is what comes of it.
    narrowIntents: async (from: never, options: never[], about: never) => {
      if (options.length === 0) return []
      const choice = await preferRunning({ from, context: about, options })
      return choice === undefined ? [] : [{ intent: { name: choice.intent }, apps: [choice.app] }]
    },
  }
  const records = Object.entries(directory).map(([appId, interop]) => ({ appId, interop }))
  const channels = userChannels.map((id) => ({
    id,
    type: ChannelType.user,
    context: [],
    displayMetadata: {},
  }))
  const server = new DefaultFDC3Server(context, new BasicDirectory(records), channels, false)
  const say = async (from: string, message: object) => {
    await server.receive(message, from)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return party(say, sent, () => server.shutdown())
}

/** What an instance does; numbers say which of its listeners. */
type Deed = { readonly from: string; readonly type: string; readonly [field: string]: unknown }

const from = fc.constantFrom(...instances)
const contextType = fc.constantFrom('order', 'basket')
const anyType = fc.option(contextType)
const number = fc.nat({ max: 99 })
const intent = fc.constantFrom('Cook', 'Show', 'Mix', 'Nothing')
const channel = fc.constantFrom('user', 'app-1', 'app-2')
const target = fc.constantFrom(
  undefined,
  { appId: 'nobody' },
  { appId: 'bar', instanceId: 'bar.9' },
  ...instances.map((instanceId) => ({ appId: appIdOf(instanceId), instanceId })),
)
const of = (type: string, more: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ from, type: fc.constant(type), ...more }) as fc.Arbitrary<Deed>
const deed = fc.oneof(
  of('joinUserChannel', { channelId: fc.constantFrom(...userChannels, 'app-1', 'nowhere') }),
  of('leaveCurrentChannel'),
  of('getCurrentChannel'),
  of('getUserChannels'),
  of('getOrCreateChannel', { channelId: fc.constantFrom('app-1', 'app-2') }),
  of('addContextListener', { channel, contextType: anyType }),
  of('contextListenerUnsubscribe', { number }),
  of('broadcast', { channel, contextType, number }),
  of('getCurrentContext', { channel, contextType: anyType }),
  of('findIntent', {
    intent,
    context: anyType,
    resultType: fc.constantFrom(undefined, 'receipt', 'channel', 'channel<receipt>', 'x'),
  }),
  of('findIntentsByContext', { context: fc.constantFrom('order', 'basket', 'x') }),
  of('findInstances', { appId: fc.constantFrom('bar', 'cellar', 'till') }),
  of('getAppMetadata', { appId: fc.constantFrom('bar', 'cellar', 'nobody') }),
  of('raiseIntent', { intent, context: contextType, app: target, number }),
  of('intentResult', { number }),
)

/** The message of a deed as one of the parties is told it; undefined where it cannot be done. */
function messageOf(
  { from, type, ...more }: Deed,
  { listeners, delivered }: Party,
  joined: string | undefined,
) {
  // biome-ignore lint/suspicious/noExplicitAny: each kind of deed has fields of its own
  const { number, channel, contextType, context } = more as any
  const channelId = channel === 'user' ? joined : channel
  const value = { type: contextType ?? context, id: { number: String(number) } }
  const payloads: Record<string, () => object | undefined> = {
    joinUserChannel: () => ({ channelId: more.channelId }),
    leaveCurrentChannel: () => ({}),
    getCurrentChannel: () => ({}),
    getUserChannels: () => ({}),
    getOrCreateChannel: () => ({ channelId: more.channelId }),
    // As the client does it: on the channel that it is on.
    addContextListener: () => ({ channelId: channelId ?? null, contextType: contextType ?? null }),
    contextListenerUnsubscribe: () => {
      const own = listeners.get(from) ?? []
      return own.length === 0 ? undefined : { listenerUUID: own.splice(number % own.length, 1)[0] }
    },
    broadcast: () => (channelId === undefined ? undefined : { channelId, context: value }),
    getCurrentContext: () =>
      channelId === undefined ? undefined : { channelId, contextType: contextType ?? null },
    findIntent: () => ({
      intent: more.intent,
      ...(context === null ? {} : { context: { type: context } }),
      ...(more.resultType === undefined ? {} : { resultType: more.resultType }),
    }),
    findIntentsByContext: () => ({ context: { type: context } }),
    findInstances: () => ({ app: { appId: more.appId } }),
    getAppMetadata: () => ({ app: { appId: more.appId } }),
    raiseIntent: () => {
      if (isListenerAlone(String(more.intent), contextType, more.app as never)) return undefined
      const app = more.app === undefined ? {} : { app: more.app }
      return { intent: more.intent, context: value, ...app }
    },
    intentResult: () => {
      const own = delivered.filter(({ to }) => to === from)
      if (own.length === 0) return undefined
      const [{ message }] = own.splice(number % own.length, 1) as [Party['sent'][0]]
      delivered.splice(
        delivered.findIndex((each) => each.message === message),
        1,
      )
      return {
        intentEventUuid: message.meta.eventUuid,
        raiseIntentRequestUuid: message.payload.raiseIntentRequestUuid,
        intentResult: { context: { type: 'receipt', id: { number: String(number) } } },
      }
    },
  }
  const payload = payloads[type]?.()
  if (payload === undefined) return undefined
  const meta = { requestUuid: randomUUID(), timestamp: new Date().toISOString() }
  return { type: `${type}Request`, payload, meta }
}

/** True for an instance that listens for the intent but whose record does not take it with this context. */
function isListenerAlone(intent: string, contextType: string, app?: { instanceId?: string }) {
  const contexts = intentsOf(app?.instanceId ?? '')[intent]?.contexts
  return contexts !== undefined && !contexts.includes(contextType)
}

/** What came of a deed, in words that both parties have in common. */
async function done(deed: Deed, party: Party, joined: string | undefined): Promise<string[]> {
  const message = messageOf(deed, party, joined)
  if (message === undefined) return []
  party.sent.length = 0
  await party.say(deed.from, message)
  const words = party.sent.flatMap(({ to, message: { type, payload, meta } }) => {
    if (type === 'broadcastEvent') {
      const isShared = deed.type === 'broadcast' && to !== deed.from
      return isShared ? [`${to} hears ${JSON.stringify(payload.context)}`] : []
    }
    if (type === 'channelChangedEvent') return []
    if (type === 'intentEvent') {
      party.delivered.push({ to, message: { type, payload, meta } })
      return [`${to} is given ${payload.intent} with ${JSON.stringify(payload.context)}`]
    }
    if (type === 'raiseIntentResultResponse') {
      return [`${to} has the result ${JSON.stringify(payload.intentResult)}`]
    }
    if (meta.requestUuid !== message.meta.requestUuid || to !== deed.from) return [`? ${type}`]
    return [`answer ${answerOf(deed, payload, party)}`]
  })
  return [...new Set(words)].sort()
}

// biome-ignore lint/suspicious/noExplicitAny: payloads of all answers there are
type Payload = any
/** The reference gives an empty list, which its client takes for this error. */
const none = 'error NoAppsFound'

function answerOf({ from, type }: Deed, payload: Payload, { listeners }: Party): string {
  if (payload.error !== undefined) return `error ${payload.error}`
  const identifiers = (apps: { appId: string; instanceId?: string }[]) =>
    apps.map(({ appId, instanceId = '' }) => `${appId}/${instanceId}`).sort()
  switch (type) {
    case 'addContextListener':
      listeners.set(from, [...(listeners.get(from) ?? []), payload.listenerUUID])
      return 'a listener'
    case 'getCurrentChannel':
      return String(payload.channel?.id)
    case 'getUserChannels':
      // Ours has the eight that the standard recommends.
      return String(
        userChannels.every((id) => payload.userChannels.some((it: Payload) => it.id === id)),
      )
    case 'getOrCreateChannel':
      return payload.channel.id
    case 'getCurrentContext':
      return JSON.stringify(payload.context)
    case 'findIntent': {
      const { intent, apps } = payload.appIntent
      const ofDirectory = apps.filter(({ instanceId }: Payload) => instanceId === undefined)
      return ofDirectory.length === 0 ? none : `${intent.name} ${identifiers(ofDirectory)}`
    }
    case 'findIntentsByContext':
      return (
        payload.appIntents
          .map(({ intent, apps }: Payload) => `${intent.name} ${identifiers(apps)}`)
          .sort()
          .join('; ') || none
      )
    case 'findInstances':
      return String(identifiers(payload.appIdentifiers))
    case 'getAppMetadata':
      return payload.appMetadata.appId
    case 'raiseIntent':
      return `${payload.intentResolution.intent} by ${payload.intentResolution.source.instanceId}`
    default:
      return 'done'
  }
}

;(missing === undefined ? test : test.skip)(
  'the agent answers as the reference agent of the standard does',
  async (t) => {
    t.timeout(120_000)
    const reference = await loadReference(t)
    let compared = 0
    const property = fc.asyncProperty(
      fc.array(deed, { maxLength: 60, size: 'max' }),
      async (deeds) => {
        const both = [ours(), theirs(reference)] as const
        try {
          const joined = new Map<string, string>()
          const prologue: Deed[] = [
            ...['app-1', 'app-2'].map((channelId) => ({
              from: 'till.1',
              type: 'getOrCreateChannel',
              channelId,
            })),
          ]
          for (const party of both) {
            for (const instanceId of instances.slice(1)) {
              for (const name of Object.keys(intentsOf(instanceId))) {
                const meta = { requestUuid: randomUUID(), timestamp: new Date().toISOString() }
                await party.say(instanceId, {
                  type: 'addIntentListenerRequest',
                  payload: { intent: name },
                  meta,
                })
              }
            }
          }
          for (const each of [...prologue, ...deeds]) {
            const channelId = joined.get(each.from)
            const [one, other] = [
              await done(each, both[0], channelId),
              await done(each, both[1], channelId),
            ]
            if (JSON.stringify(one) !== JSON.stringify(other)) {
              throw new Error(
                `${JSON.stringify(each)}\n  ours   ${one.join('\n         ')}\n  theirs ${other.join('\n         ')}`,
              )
            }
            compared += one.length
            if (each.type === 'leaveCurrentChannel') joined.delete(each.from)
            if (each.type === 'joinUserChannel' && one.includes('answer done'))
              joined.set(each.from, String(each.channelId))
          }
        } finally {
          for (const party of both) party.close()
        }
      },
    )
    const { failed, counterexample, errorInstance, seed } = await fc.check(property, {
      numRuns: 60,
    })
    t.false(failed, `${errorInstance}\n  seed ${seed}: ${JSON.stringify(counterexample)}`)
    t.true(compared > 500, `${compared} answers and events`)
    t.log(`${compared} answers and events are the same`)
  },
)
