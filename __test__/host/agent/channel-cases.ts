/**
 * The standard's tests of channels, written from its pages: two apps, each of which may be a Node program or a page. Each
 * case leaves the apps without listeners and off their channels.
 *
 * That something does not arrive is shown by what was said behind it: B broadcasts a mark on a channel that A hears, and
 * messages keep their order.
 */
import { randomUUID } from 'node:crypto'
import type { Context } from '@finos/fdc3-context'
import type { ExecutionContext } from 'ava'
import type { Actor } from '../../support/fdc3.js'

/** Two apps. */
export interface Pair {
  readonly a: Actor
  readonly b: Actor
}

/** A case. */
export type ChannelCase = (t: ExecutionContext, pair: Pair) => Promise<void>

/** A context that no other case knows. */
function newContext(type: string): Context {
  return { type, id: { key: randomUUID() } }
}

/** Has A hear B's mark; the function it gives waits for it. */
async function mark({ a, b }: Pair): Promise<() => Promise<void>> {
  const id = `mark-${randomUUID()}`
  await a.run(async (fdc3, box, channelId) => {
    const channel = await fdc3.getOrCreateChannel(channelId)
    box.kept.marks ??= []
    box.kept.unmark = await channel.addContextListener('mark', () => box.kept.marks.push(channelId))
  }, id)
  return async () => {
    await b.run(async (fdc3, _box, channelId) => {
      const channel = await fdc3.getOrCreateChannel(channelId)
      await channel.broadcast({ type: 'mark' })
    }, id)
    await a.run(async (_fdc3, box, channelId) => {
      await box.until(() => box.kept.marks.includes(channelId))
      await box.kept.unmark.unsubscribe()
    }, id)
  }
}

/** What A has been given, under the name of the listener. */
async function seenBy({ a }: Pair): Promise<[string, Context][]> {
  return await a.run((_fdc3, box) => box.seen)
}

/** Leaves A and B as they were. */
async function clear({ a, b }: Pair): Promise<void> {
  for (const actor of [a, b]) {
    await actor.run(async (fdc3, box) => {
      for (const listener of box.kept.listeners ?? []) await listener.unsubscribe()
      box.kept.listeners = []
      box.seen.length = 0
      await fdc3.leaveCurrentChannel()
    })
  }
}

/** App channels: A listens, B broadcasts. */
const onAppChannel = {
  listen: ({ a }: Pair, channelId: string, types: readonly (string | null)[]) =>
    a.run(
      async (fdc3, box, id, listened) => {
        const channel = await fdc3.getOrCreateChannel(id)
        box.kept.listeners ??= []
        for (const [index, type] of listened.entries()) {
          const name = `${index} ${type}`
          const listener = await channel.addContextListener(type, (context) =>
            box.seen.push([name, context]),
          )
          if (typeof listener.unsubscribe !== 'function') throw new Error('no listener')
          box.kept.listeners.push(listener)
        }
      },
      channelId,
      types,
    ),
  broadcast: ({ b }: Pair, channelId: string, contexts: readonly Context[]) =>
    b.run(
      async (fdc3, _box, id, sent) => {
        const channel = await fdc3.getOrCreateChannel(id)
        for (const context of sent) await channel.broadcast(context)
      },
      channelId,
      contexts,
    ),
}

const instrument = 'fdc3.instrument'
const contact = 'fdc3.contact'

/** Has a context been received, by which listeners, in order. */
function received(seen: readonly [string, Context][], context: Context): string[] {
  return seen.filter(([, found]) => found.id?.key === context.id?.key).map(([name]) => name)
}

/** An app channel where A listens for `types` and B broadcasts an instrument and a contact. */
function appChannelCase(
  types: readonly (string | null)[],
  expected: readonly [instrument: readonly string[], contact: readonly string[]],
  change: (pair: Pair, channelId: string) => Promise<string> = async (_pair, channelId) =>
    channelId,
): ChannelCase {
  return async (t, pair) => {
    const channelId = `test-channel-${randomUUID()}`
    const contexts = [newContext(instrument), newContext(contact)] as const
    await onAppChannel.listen(pair, channelId, types)
    const marked = await mark(pair)
    await onAppChannel.broadcast(pair, await change(pair, channelId), contexts)
    await marked()
    const seen = await seenBy(pair)
    t.deepEqual(received(seen, contexts[0]), [...expected[0]])
    t.deepEqual(received(seen, contexts[1]), [...expected[1]])
    for (const [, context] of seen) {
      t.deepEqual(
        context,
        contexts.find(({ type }) => type === context.type),
      )
    }
    await clear(pair)
  }
}

/** What A finds on an app channel after B has broadcast these. */
function historyCase(
  pick: (sent: readonly Context[]) => readonly [type: string | undefined, expected: Context][],
  count: number,
): ChannelCase {
  return async (t, pair) => {
    const channelId = `test-channel-${randomUUID()}`
    const sent = Array.from({ length: count }, () => [
      newContext(instrument),
      newContext(contact),
    ]).flat()
    await onAppChannel.broadcast(pair, channelId, sent)
    await onAppChannel.listen(pair, channelId, [instrument, contact, null])
    const marked = await mark(pair)
    await marked()
    t.deepEqual(await seenBy(pair), [], 'what was there is not handed to a listener of the channel')
    for (const [type, expected] of pick(sent)) {
      const found = await pair.a.run(
        async (fdc3, _box, id, wanted) =>
          (await fdc3.getOrCreateChannel(id)).getCurrentContext(wanted ?? undefined),
        channelId,
        type ?? null,
      )
      t.deepEqual(found, expected)
    }
    await clear(pair)
  }
}

const last = (sent: readonly Context[], type: string) =>
  sent.findLast((context) => context.type === type) as Context

/** User channels: the steps of A and B, in whatever order. */
type Step = 'listen' | 'join' | 'otherJoins' | 'otherBroadcasts'

interface UserChannelPlan {
  readonly steps: readonly Step[]
  readonly types: readonly (string | null)[]
  readonly sent?: readonly string[]
  readonly expected: Readonly<Record<string, readonly string[]>>
  /** The index of B's channel; A is on the first. */
  readonly other?: number
  /** What A does before B broadcasts. */
  readonly meanwhile?: (pair: Pair) => Promise<unknown>
}

function userChannelCase(plan: UserChannelPlan): ChannelCase {
  return async (t, pair) => {
    const sent = (plan.sent ?? [instrument, contact]).map(newContext)
    const marked = await mark(pair)
    for (const step of plan.steps) {
      if (step === 'listen') {
        await pair.a.run(async (fdc3, box, types) => {
          box.kept.listeners ??= []
          for (const [index, type] of types.entries()) {
            const name = `${index} ${type}`
            const listener = await fdc3.addContextListener(type, (context) =>
              box.seen.push([name, context]),
            )
            if (typeof listener.unsubscribe !== 'function') throw new Error('no listener')
            box.kept.listeners.push(listener)
          }
        }, plan.types)
      } else if (step === 'otherBroadcasts') {
        await plan.meanwhile?.(pair)
        await pair.b.run(async (fdc3, _box, contexts) => {
          for (const context of contexts) {
            if ((await fdc3.broadcast(context)) !== undefined)
              throw new Error('broadcast gives nothing')
          }
        }, sent)
      } else {
        const index = step === 'otherJoins' ? (plan.other ?? 0) : 0
        await pair[step === 'join' ? 'a' : 'b'].run(async (fdc3, _box, at) => {
          const channels = await fdc3.getUserChannels()
          const channel = channels[at]
          if (channel?.type !== 'user') throw new Error('no user channel')
          await fdc3.joinUserChannel(channel.id)
        }, index)
      }
    }
    await marked()
    const expected = sent.map((context) => plan.expected[context.type] ?? [])
    // What is on a channel comes with an answer of its own: it may come after the mark.
    await pair.a.run(
      (_fdc3, box, ids, counts) =>
        box.until(() =>
          ids.every(
            (id, at) =>
              box.seen.filter(([, found]) => found.id?.key === id).length >= (counts[at] as number),
          ),
        ),
      sent.map(({ id }) => id?.key as string),
      expected.map(({ length }) => length),
    )
    const seen = await seenBy(pair)
    for (const [index, context] of sent.entries()) {
      t.deepEqual(received(seen, context), [...(expected[index] ?? [])], context.type)
    }
    await clear(pair)
  }
}

const first: readonly Step[] = ['listen', 'join', 'otherJoins', 'otherBroadcasts']
const second: readonly Step[] = ['join', 'listen', 'otherJoins', 'otherBroadcasts']
const third: readonly Step[] = ['otherJoins', 'otherBroadcasts', 'listen', 'join']
const fourth: readonly Step[] = ['otherJoins', 'otherBroadcasts', 'join', 'listen']
const basic = { types: [null], sent: [instrument], expected: { [instrument]: ['0 null'] } }
const filtered = { types: [instrument], expected: { [instrument]: [`0 ${instrument}`] } }
const both = {
  steps: first,
  types: [instrument, contact],
  expected: { [instrument]: [`0 ${instrument}`], [contact]: [`1 ${contact}`] },
}

/** Every case under the standard's id. */
export const channelCases: Readonly<Record<string, ChannelCase>> = {
  ACBasicUsage1: appChannelCase([null], [['0 null'], ['0 null']]),
  ACBasicUsage2: historyCase((sent) => [[undefined, sent.at(-1) as Context]], 1),
  ACFilteredContext1: appChannelCase([instrument], [[`0 ${instrument}`], []]),
  ACFilteredContext2: appChannelCase(
    [instrument, contact],
    [[`0 ${instrument}`], [`1 ${contact}`]],
  ),
  ACFilteredContext3: appChannelCase(
    [instrument, contact],
    [[], []],
    async () => `other-${randomUUID()}`,
  ),
  ACFilteredContext4: appChannelCase(
    [instrument],
    [[`0 ${instrument}`], []],
    async ({ a }, channelId) => {
      await a.run(async (fdc3, box, id) => {
        const channel = await fdc3.getOrCreateChannel(id)
        box.kept.listeners.push(
          await channel.addContextListener(null, (context) => box.seen.push(['other', context])),
        )
      }, `other-${randomUUID()}`)
      return channelId
    },
  ),
  ACUnsubscribe: appChannelCase([instrument], [[], []], async ({ a }, channelId) => {
    await a.run(async (_fdc3, box) => {
      for (const listener of box.kept.listeners.splice(0)) await listener.unsubscribe()
    })
    return channelId
  }),
  ACContextHistoryTyped: historyCase(
    (sent) => [
      [instrument, last(sent, instrument)],
      [contact, last(sent, contact)],
    ],
    1,
  ),
  ACContextHistoryMultiple: historyCase(
    (sent) => [
      [instrument, last(sent, instrument)],
      [contact, last(sent, contact)],
    ],
    3,
  ),
  ACContextHistoryLast: historyCase((sent) => [[undefined, sent.at(-1) as Context]], 2),
  ACMultipleOverlappingListeners1: appChannelCase(
    [null, instrument],
    [['0 null', `1 ${instrument}`], ['0 null']],
  ),
  ACMultipleOverlappingListeners2: appChannelCase(
    [instrument, instrument],
    [[`0 ${instrument}`, `1 ${instrument}`], []],
  ),
  UCBasicUsage1: userChannelCase({ ...basic, steps: first }),
  UCBasicUsage2: userChannelCase({ ...basic, steps: second }),
  UCBasicUsage3: userChannelCase({ ...basic, steps: third }),
  UCBasicUsage4: userChannelCase({ ...basic, steps: fourth }),
  UCFilteredUsage1: userChannelCase({ ...filtered, steps: first }),
  UCFilteredUsage2: userChannelCase({ ...filtered, steps: second }),
  UCFilteredUsage3: userChannelCase({ ...filtered, steps: third }),
  UCFilteredUsage4: userChannelCase({ ...filtered, steps: fourth }),
  UCFilteredUsage5: userChannelCase(both),
  UCFilteredUsage6: userChannelCase({ ...both, other: 1, expected: {} }),
  UCFilteredUsageChange: userChannelCase({
    ...both,
    expected: {},
    meanwhile: ({ a }) =>
      a.run(async (fdc3) => {
        const [, , other] = await fdc3.getUserChannels()
        await fdc3.joinUserChannel(other?.id ?? '')
      }),
  }),
  UCFilteredUsageUnsubscribe: userChannelCase({
    ...both,
    expected: {},
    meanwhile: ({ a }) =>
      a.run(async (_fdc3, box) => {
        for (const listener of box.kept.listeners.splice(0)) await listener.unsubscribe()
      }),
  }),
  UCFilteredUsageLeave: userChannelCase({
    ...both,
    expected: {},
    meanwhile: ({ a }) => a.run((fdc3) => fdc3.leaveCurrentChannel()),
  }),
  UCFilteredUsageNoJoin: userChannelCase({
    ...both,
    steps: ['listen', 'otherJoins', 'otherBroadcasts'],
    expected: {},
    meanwhile: ({ a }) =>
      a.run(async (fdc3) => {
        if ((await fdc3.getCurrentChannel()) !== null) throw new Error('A is on a channel')
      }),
  }),
  UCMultipleOverlappingListeners1: userChannelCase({
    steps: first,
    types: [null, contact],
    sent: [contact],
    expected: { [contact]: ['0 null', `1 ${contact}`] },
  }),
  UCMultipleOverlappingListeners2: userChannelCase({
    steps: first,
    types: [contact, contact],
    sent: [contact],
    expected: { [contact]: [`0 ${contact}`, `1 ${contact}`] },
  }),
}
