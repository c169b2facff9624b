/** The agent's core by itself: messages in, messages out, time by hand. Everything that it says fits the standard's schemas. */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { type AgentOptions, DesktopAgent } from '../../../ts/host/agent/agent.js'
import { AppDirectory } from '../../../ts/host/agent/directory.js'
import type { AgentMessage } from '../../../ts/host/agent/message.js'
import type { AgentProblem } from '../../../ts/host/agent/problem.js'
import { AskingResolver, type IntentResolver } from '../../../ts/host/agent/resolver.js'
import { Schemas } from '../../../ts/host/agent/schema.js'
import { parseManifest } from '../../../ts/host/manifest/manifest.js'
import { appOf, listensFor } from '../../support/fdc3.js'

const schemas = new Schemas()

/** Time that a test moves. */
class HandClock {
  #now = 1_800_000_000_000
  #count = 0
  readonly #calls = new Map<number, { at: number; call: () => void }>()

  now = () => this.#now
  uuid = () => `uuid-${++this.#count}`
  after = (milliseconds: number, call: () => void) => {
    const id = ++this.#count
    this.#calls.set(id, { at: this.#now + milliseconds, call })
    return () => {
      this.#calls.delete(id)
    }
  }

  /** Moves it on; what is due is called in order. Promises have their turn in between. */
  async pass(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds
    for (;;) {
      const [next] = [...this.#calls]
        .filter(([, { at }]) => at <= until)
        .sort(([, a], [, b]) => a.at - b.at)
      if (next === undefined) break
      this.#calls.delete(next[0])
      this.#now = next[1].at
      next[1].call()
      await settled()
    }
    this.#now = until
    await settled()
  }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

interface Bench {
  readonly agent: DesktopAgent
  readonly clock: HandClock
  readonly problems: AgentProblem[]
  readonly started: string[]
  /** Says something and gives the answer, if there is one already. */
  ask(from: string, type: string, payload: object): Promise<Record<string, unknown> | undefined>
  /** What an instance was sent of this type. */
  sent(to: string, type: string): Record<string, unknown>[]
}

function bench(
  t: ExecutionContext,
  options: Partial<AgentOptions> = {},
  start?: (uuid: string) => Promise<string>,
): Bench {
  const clock = new HandClock()
  const problems: AgentProblem[] = []
  const started: string[] = []
  const posted: { to: readonly string[]; message: AgentMessage }[] = []
  const apps = [
    appOf('till'),
    appOf('kitchen', listensFor({ Cook: [['order'], 'receipt'], Show: [['order']] })),
    appOf('bar', listensFor({ Cook: [['order']] })),
  ]
  const agent = new DesktopAgent({
    directory: AppDirectory.of(parseManifest({ apps }, '/').apps, 'store.test'),
    ...options,
    surroundings: {
      clock,
      post: (to, message) => {
        t.deepEqual(schemas.problem(message.type, message), undefined, JSON.stringify(message))
        posted.push({ to, message })
      },
      start: async (uuid) => {
        started.push(uuid)
        return start === undefined ? `${uuid}.1` : start(uuid)
      },
      report: (problem) => problems.push(problem),
    },
  })
  t.teardown(() => agent.close())
  const sent = (to: string, type: string) =>
    posted
      .filter((it) => it.to.includes(to) && it.message.type === type)
      .map(({ message }) => message.payload as Record<string, unknown>)
  let count = 0
  const ask = async (from: string, type: string, payload: object) => {
    const requestUuid = `request-${++count}`
    agent.receive(from, {
      type,
      payload,
      meta: { requestUuid, timestamp: new Date().toISOString() },
    })
    await settled()
    const response = type.replace(/Request$/, 'Response')
    const found = posted.find(
      ({ message }) => message.type === response && message.meta.requestUuid === requestUuid,
    )
    return found?.message.payload as Record<string, unknown> | undefined
  }
  for (const appId of ['till', 'kitchen', 'bar']) agent.connect({ appId, instanceId: `${appId}.1` })
  return { agent, clock, problems, started, ask, sent }
}

const cook = (extra: object = {}) => ({ intent: 'Cook', context: { type: 'order' }, ...extra })

test('no message makes it throw, and all that it answers fits the schemas', async (t) => {
  const { agent, ask } = bench(t)
  const names = [
    'broadcastRequest',
    'raiseIntentRequest',
    'openRequest',
    'addContextListenerRequest',
    'joinUserChannelRequest',
    'privateChannelDisconnectRequest',
    'intentResultRequest',
    'getOrCreateChannelRequest',
    'findIntentRequest',
    'heartbeatAcknowledgementRequest',
    'WCP6Goodbye2',
  ]
  const value = fc.oneof(
    fc.constantFrom('fdc3.channel.1', 'till.1', 'Cook', 'order', 'kitchen'),
    fc.jsonValue(),
  )
  const payload = fc.oneof(
    fc.dictionary(
      fc.constantFrom(
        'channelId',
        'context',
        'contextType',
        'intent',
        'app',
        'type',
        'listenerUUID',
        'privateChannelId',
        'intentResult',
      ),
      fc.oneof(value, fc.record({ type: value }), fc.record({ appId: value, instanceId: value })),
    ),
    fc.jsonValue(),
  )
  const meta = fc.oneof(
    fc.record({ requestUuid: value, timestamp: fc.constantFrom('2026-01-01T00:00:00Z', 'x') }),
    fc.jsonValue(),
  )
  const message = fc.oneof(
    fc.record({ type: fc.oneof(fc.constantFrom(...names), fc.string()), payload, meta }),
    fc.record({
      type: fc.constantFrom(...names),
      payload,
      meta: fc.constant({ requestUuid: 'r', timestamp: '2026-01-01T00:00:00Z' }),
    }),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(fc.constantFrom('till.1', 'kitchen.1', 'nobody.1'), message, (from, said) => {
      agent.receive(from, said)
    }),
    { numRuns: 3000 },
  )
  await settled()
  agent.connect({ appId: 'till', instanceId: 'till.1' })
  t.like(await ask('till.1', 'getInfoRequest', {}), {
    implementationMetadata: { provider: 'pos-kernel' },
  })
})

test('what is malformed is refused by a name of the standard and reported', async (t) => {
  const { ask, problems } = bench(t)
  const answers = [
    await ask('till.1', 'broadcastRequest', { channelId: 'fdc3.channel.1', context: { id: 1 } }),
    await ask('till.1', 'raiseIntentRequest', { intent: 'Cook', context: 'order' }),
    await ask('till.1', 'openRequest', { app: {} }),
    await ask('till.1', 'getOrCreateChannelRequest', { channelId: 7 }),
    await ask('till.1', 'joinUserChannelRequest', { channelId: 'fdc3.channel.1', extra: true }),
  ]
  t.deepEqual(answers, [
    { error: 'MalformedContext' },
    { error: 'MalformedContext' },
    { error: 'MalformedMessage' },
    { error: 'CreationFailed' },
    { error: 'CreationFailed' },
  ])
  t.is(
    problems.filter(({ kind, instanceId }) => kind === 'malformed' && instanceId === 'till.1')
      .length,
    5,
  )
})

test('an app is known by its appId and by its fully-qualified appId', async (t) => {
  const { ask } = bench(t)
  for (const appId of ['bar', 'bar@store.test']) {
    t.like(await ask('till.1', 'getAppMetadataRequest', { app: { appId } }), {
      appMetadata: { appId: 'bar' },
    })
    t.deepEqual(await ask('till.1', 'findInstancesRequest', { app: { appId } }), {
      appIdentifiers: [{ appId: 'bar', instanceId: 'bar.1' }],
    })
  }
  t.deepEqual(await ask('till.1', 'getAppMetadataRequest', { app: { appId: 'bar@elsewhere' } }), {
    error: 'TargetAppUnavailable',
  })
})

test('an app that was started has its time to listen, and not more', async (t) => {
  const { agent, ask, clock, sent } = bench(t, { listenerMs: 1 })
  agent.disconnect('bar.1')
  t.is(await ask('till.1', 'raiseIntentRequest', cook({ app: { appId: 'bar' } })), undefined)
  await clock.pass(14_999)
  t.deepEqual(sent('till.1', 'raiseIntentResponse'), [], 'less than 15 s is not to be had')
  await clock.pass(1)
  t.deepEqual(sent('till.1', 'raiseIntentResponse'), [{ error: 'IntentDeliveryFailed' }])
})

test('an intent waits for the listener of the app that was started, whose end ends it', async (t) => {
  const { agent, ask, sent } = bench(t)
  agent.disconnect('bar.1')
  await ask('till.1', 'raiseIntentRequest', cook({ app: { appId: 'bar' } }))
  agent.connect({ appId: 'bar', instanceId: 'bar.1' })
  await ask('bar.1', 'addIntentListenerRequest', { intent: 'Cook' })
  t.like(sent('bar.1', 'intentEvent')[0], {
    intent: 'Cook',
    originatingApp: { instanceId: 'till.1' },
  })
  t.deepEqual(sent('till.1', 'raiseIntentResponse'), [
    { intentResolution: { intent: 'Cook', source: { appId: 'bar', instanceId: 'bar.1' } } },
  ])
  agent.disconnect('bar.1')
  t.deepEqual(sent('till.1', 'raiseIntentResultResponse'), [{ error: 'NoResultReturned' }])
  await ask('till.1', 'raiseIntentRequest', cook({ app: { appId: 'bar' } }))
  agent.ended('bar.1')
  await settled()
  t.deepEqual(sent('till.1', 'raiseIntentResponse')[1], { error: 'IntentDeliveryFailed' })
})

test('a result counts from the instance that was given the intent, once', async (t) => {
  const { ask, sent, problems } = bench(t)
  await ask('kitchen.1', 'addIntentListenerRequest', { intent: 'Cook' })
  await ask('till.1', 'raiseIntentRequest', cook({ app: { appId: 'kitchen' } }))
  const result = {
    intentEventUuid: '',
    raiseIntentRequestUuid: 'x',
    intentResult: { context: { type: 'receipt' } },
  }
  // The event's id is in its meta; the next uuid after the resolution of everything else is found by trying all.
  for (let count = 0; count < 50; count += 1) {
    await ask('bar.1', 'intentResultRequest', { ...result, intentEventUuid: `uuid-${count}` })
  }
  t.deepEqual(sent('till.1', 'raiseIntentResultResponse'), [])
  t.true(problems.some(({ kind, instanceId }) => kind === 'forged' && instanceId === 'bar.1'))
  for (let count = 0; count < 50; count += 1) {
    await ask('kitchen.1', 'intentResultRequest', { ...result, intentEventUuid: `uuid-${count}` })
  }
  t.deepEqual(sent('till.1', 'raiseIntentResultResponse'), [
    { intentResult: { context: { type: 'receipt' } } },
  ])
})

test('a private channel is for whom it was given to, and ends with them', async (t) => {
  const { agent, ask, sent } = bench(t)
  const created = await ask('kitchen.1', 'createPrivateChannelRequest', {})
  const { id } = (created as { privateChannel: { id: string } }).privateChannel
  const stranger = [
    await ask('bar.1', 'broadcastRequest', { channelId: id, context: { type: 'x' } }),
    await ask('bar.1', 'addContextListenerRequest', { channelId: id, contextType: null }),
    await ask('bar.1', 'getCurrentContextRequest', { channelId: id, contextType: null }),
    await ask('bar.1', 'privateChannelAddEventListenerRequest', {
      privateChannelId: id,
      listenerType: null,
    }),
    await ask('bar.1', 'privateChannelDisconnectRequest', { channelId: id }),
    await ask('bar.1', 'getOrCreateChannelRequest', { channelId: id }),
  ]
  t.deepEqual(stranger, Array(6).fill({ error: 'AccessDenied' }))
  await ask('kitchen.1', 'addIntentListenerRequest', { intent: 'Cook' })
  await ask('kitchen.1', 'privateChannelAddEventListenerRequest', {
    privateChannelId: id,
    listenerType: 'disconnect',
  })
  await ask('till.1', 'raiseIntentRequest', cook({ app: { appId: 'kitchen' } }))
  for (let count = 0; count < 60; count += 1) {
    const intentResult = { channel: { id, type: 'private' } }
    await ask('kitchen.1', 'intentResultRequest', {
      intentEventUuid: `uuid-${count}`,
      raiseIntentRequestUuid: 'x',
      intentResult,
    })
  }
  t.truthy(
    (await ask('till.1', 'addContextListenerRequest', { channelId: id, contextType: 'x' }))
      ?.listenerUUID,
  )
  agent.disconnect('till.1')
  t.deepEqual(sent('kitchen.1', 'privateChannelOnUnsubscribeEvent'), [
    { privateChannelId: id, contextType: 'x' },
  ])
  t.deepEqual(sent('kitchen.1', 'privateChannelOnDisconnectEvent'), [{ privateChannelId: id }])
})

test('what an app broadcasts does not come back to it', async (t) => {
  const { ask, sent } = bench(t)
  await ask('till.1', 'getOrCreateChannelRequest', { channelId: 'c' })
  for (const instance of ['till.1', 'bar.1']) {
    await ask(instance, 'addContextListenerRequest', { channelId: 'c', contextType: null })
  }
  await ask('till.1', 'broadcastRequest', { channelId: 'c', context: { type: 'x' } })
  t.deepEqual(sent('till.1', 'broadcastEvent'), [])
  t.deepEqual(sent('bar.1', 'broadcastEvent'), [
    {
      channelId: 'c',
      context: { type: 'x' },
      originatingApp: { appId: 'till', instanceId: 'till.1' },
    },
  ])
})

test('a change of user channel is told to who asked, and always when another made it', async (t) => {
  const { agent, ask, sent } = bench(t)
  await ask('till.1', 'joinUserChannelRequest', { channelId: 'fdc3.channel.1' })
  t.deepEqual(sent('till.1', 'channelChangedEvent'), [])
  await ask('till.1', 'addEventListenerRequest', { type: 'USER_CHANNEL_CHANGED' })
  await ask('till.1', 'leaveCurrentChannelRequest', {})
  agent.setUserChannel('till.1', 'fdc3.channel.2')
  agent.setUserChannel('bar.1', 'fdc3.channel.2')
  t.deepEqual(sent('till.1', 'channelChangedEvent'), [
    { newChannelId: null },
    { newChannelId: 'fdc3.channel.2' },
  ])
  t.deepEqual(sent('bar.1', 'channelChangedEvent'), [{ newChannelId: 'fdc3.channel.2' }])
  t.throws(() => agent.setUserChannel('till.1', 'nowhere'), { message: 'NoChannelFound' })
})

test('an instance that says nothing is asked, and let go in the end', async (t) => {
  const { agent, clock, problems, sent } = bench(t, { heartbeatMs: 1000, silentMs: 5000 })
  for (let second = 0; second < 7; second += 1) {
    await clock.pass(1000)
    const meta = { requestUuid: 'r', timestamp: '2026-01-01T00:00:00Z' }
    const payload = { heartbeatEventUuid: 'e' }
    agent.receive('till.1', { type: 'heartbeatAcknowledgementRequest', payload, meta })
  }
  t.true(agent.isConnected('till.1'))
  t.false(agent.isConnected('bar.1'))
  t.true(sent('bar.1', 'heartbeatEvent').length >= 5)
  t.true(problems.some(({ kind, instanceId }) => kind === 'silent' && instanceId === 'bar.1'))
})

const resolvers: readonly [string, IntentResolver, string][] = [
  ['rejects', () => Promise.reject(new Error('no screen')), 'ResolverUnavailable'],
  [
    'chooses what was not offered',
    () => ({ intent: 'Cook', app: { appId: 'till' } }),
    'ResolverUnavailable',
  ],
  ['does not want to', () => undefined, 'UserCancelledResolution'],
]
for (const [what, resolver, error] of resolvers) {
  test(`a resolver that ${what} is an error by name`, async (t) => {
    const { ask } = bench(t, { resolver })
    t.deepEqual(await ask('till.1', 'raiseIntentRequest', cook()), { error })
  })
}

test('a person who looks is asked, and has a minute', async (t) => {
  const clock = new HandClock()
  const asking = new AskingResolver({ clock })
  const options = [
    {
      intent: { name: 'Cook', displayName: 'Cook' },
      apps: [{ appId: 'bar' }, { appId: 'kitchen' }],
    },
  ]
  const question = { from: { appId: 'till' }, context: { type: 'order' }, options }
  t.deepEqual(
    await asking.resolve(question),
    { intent: 'Cook', app: { appId: 'bar' } },
    'nobody looks',
  )
  asking.questions()
  const late = asking.resolve(question) as Promise<unknown>
  const [open] = asking.questions()
  t.like(open, { options })
  const rejected = t.throwsAsync(late, { message: 'ResolverTimeout' })
  await clock.pass(60_000)
  await rejected
  t.false(asking.answer(open?.id ?? '', undefined), 'too late')
})

test('a person is shown what one needs to choose, and chooses what was offered', async (t) => {
  const clock = new HandClock()
  const gone = new Set<string>()
  const asking = new AskingResolver({ clock, isThere: (instanceId) => !gone.has(instanceId) })
  const apps = [
    { appId: 'bar', title: 'B'.repeat(5000), description: 'long'.repeat(500) },
    { appId: 'kitchen', instanceId: 'kitchen.1' },
  ]
  const ask = (instanceId: string, rest: object = {}) =>
    asking.resolve({
      from: { appId: 'till', instanceId },
      context: { type: 'order', id: { number: '7', deep: {} as string }, secret: 'x'.repeat(1000) },
      options: [{ intent: { name: 'Cook' }, apps }],
      ...rest,
    })
  asking.questions()
  const choosing = ask('till.1') as Promise<unknown>
  const [question] = asking.questions()
  t.deepEqual(question?.context, { type: 'order', id: { number: '7' } })
  t.is(question?.endsAt, clock.now() + 60_000)
  t.deepEqual(question?.options[0]?.intent, { name: 'Cook', displayName: 'Cook' })
  t.deepEqual(
    question?.options[0]?.apps.map(({ title = '', ...app }) => ({ ...app, length: title.length })),
    [
      { appId: 'bar', length: 120 },
      { appId: 'kitchen', instanceId: 'kitchen.1', length: 0 },
    ],
  )
  for (const app of [{ appId: 'kitchen' }, { appId: 'bar', instanceId: 'bar.1' }, { appId: 'x' }]) {
    t.throws(() => asking.answer(question?.id ?? '', { intent: 'Cook', app }), {
      code: 'HOST_ARGUMENT',
    })
  }
  t.true(asking.answer(question?.id ?? '', { intent: 'Cook', app: { appId: 'bar' } }))
  t.deepEqual(await choosing, { intent: 'Cook', app: { appId: 'bar' } })

  // One app cannot fill the list, all apps together neither, and what is too long to show is not asked.
  const isAsked = (choice: unknown) => choice instanceof Promise
  const many = Array.from({ length: 6 }, () => ask('till.1'))
  t.is(many.filter(isAsked).length, 4)
  const others = Array.from({ length: 12 }, (_, index) => ask(`other-${index}.1`))
  t.is(others.filter(isAsked).length, 8)
  gone.add('till.1')
  t.is(asking.questions().length, 8, 'of an app that has gone nobody need choose')
  t.deepEqual(await Promise.all(many.filter(isAsked)), Array(4).fill(undefined))
  const crowd = Array.from({ length: 300 }, (_, index) => ({ appId: `${'a'.repeat(60)}${index}` }))
  t.false(isAsked(ask('till.2', { options: [{ intent: { name: 'Cook' }, apps: crowd }] })))
})

test('an app that cannot be started is an error by name', async (t) => {
  const { agent, ask, problems } = bench(t, {}, () => Promise.reject(new Error('no such program')))
  agent.disconnect('bar.1')
  t.deepEqual(await ask('till.1', 'openRequest', { app: { appId: 'bar' } }), {
    error: 'ErrorOnLaunch',
  })
  t.deepEqual(await ask('till.1', 'raiseIntentRequest', cook({ app: { appId: 'bar' } })), {
    error: 'IntentDeliveryFailed',
  })
  t.is(problems.filter(({ kind }) => kind === 'start-failed').length, 2)
})

test('the version of the standard is a parameter', async (t) => {
  const { ask } = bench(t, { fdc3Version: '2.3' })
  t.like(await ask('till.1', 'getInfoRequest', {}), {
    implementationMetadata: { fdc3Version: '2.3' },
  })
})

test('a listener too many is refused', async (t) => {
  const { ask, problems } = bench(t)
  let answer: Record<string, unknown> | undefined
  for (let count = 0; count <= 1000; count += 1) {
    answer = await ask('till.1', 'addContextListenerRequest', {
      channelId: null,
      contextType: null,
    })
  }
  t.deepEqual(answer, { error: 'CreationFailed' })
  t.true(problems.some(({ kind }) => kind === 'limit'))
})

test('a record that is none is refused with its place', (t) => {
  const apps = [appOf('one', { intents: { listensFor: { Cook: { contexts: 'order' } } } })]
  const error = t.throws(() => AppDirectory.of(parseManifest({ apps }, '/').apps), {
    code: 'HOST_MANIFEST',
  })
  t.like(error, { facts: { path: 'fdc3.intents.listensFor.Cook.contexts', value: 'one' } })
})
