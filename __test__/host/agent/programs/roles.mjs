/** What the apps of the standard's tests do when they start; the same in a Node program and in a page. */

/** Things that outlive a call, and a wait for facts. */
export function makeBox() {
  return {
    seen: [],
    kept: {},
    async until(isSo) {
      for (let tries = 0; tries < 2000; tries += 1) {
        if (await isSo()) return
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      throw new Error(`it did not come to pass: ${isSo}`)
    },
  }
}

/** Listens for these intents and keeps what comes; `give` is what it answers. */
async function listen(fdc3, box, intents, give = async () => undefined) {
  for (const intent of intents) {
    await fdc3.addIntentListener(intent, (context, metadata) => {
      box.seen.push({ intent, context, source: metadata?.source })
      return give(context)
    })
  }
}

const after = (delay, value) => new Promise((resolve) => setTimeout(resolve, delay ?? 0, value))

/** By the letter of the app in the standard's pages. */
export const roles = {
  a: (fdc3, box) =>
    listen(fdc3, box, ['aTestingIntent', 'sharedTestingIntent1'], (context) =>
      after(context.delay),
    ),
  b: (fdc3, box) =>
    listen(fdc3, box, ['bTestingIntent', 'sharedTestingIntent1'], (context) =>
      after(context.delay, { type: 'testContextY', id: { from: 'b' } }),
    ),
  async e(fdc3, box) {
    await listen(fdc3, box, ['sharedTestingIntent2'], async (context) => {
      const channel = await fdc3.getOrCreateChannel(context.channel ?? 'someChannelName')
      box.kept.channel = channel
      return channel
    })
  },
  async f(fdc3, box) {
    await listen(fdc3, box, ['sharedTestingIntent2'], async () => {
      box.kept.channel = await fdc3.createPrivateChannel()
      await box.kept.channel.addEventListener('addContextListener', () => {
        void box.kept.channel.broadcast({ type: 'testContextZ', id: { key: 'private' } })
      })
      return box.kept.channel
    })
  },
  /** The page of a host: hears baskets and outcomes, and answers. */
  async screen(fdc3, box) {
    await fdc3.joinUserChannel('fdc3.channel.1')
    for (const type of ['till.basket', 'till.outcome'])
      await fdc3.addContextListener(type, (context) => box.seen.push(context))
    await listen(fdc3, box, ['ShowAnswer'], async ({ id }) => ({ type: 'till.answer', id }))
  },
  // Configured for its intent, and listens for none.
  h: async () => {},
  // Configured for one intent, and listens for another.
  i: (fdc3, box) => listen(fdc3, box, ['MadeUpIntent']),
  async j(fdc3, box) {
    await listen(fdc3, box, ['privateChannelIsPrivate'], async (context) => {
      let error = 'none'
      try {
        await fdc3.getOrCreateChannel(context.id.key)
      } catch (caught) {
        error = caught.message
      }
      return { type: 'privateChannelIsPrivateResult', id: { error } }
    })
  },
  async k(fdc3, box) {
    await listen(fdc3, box, ['kTestingIntent'], async () => {
      const channel = await fdc3.createPrivateChannel()
      box.kept = { events: [], all: [], contexts: [], sent: 0 }
      await channel.addEventListener('addContextListener', async ({ details }) => {
        box.kept.events.push(`addContextListener ${details.contextType}`)
        for (let count = 0; count < 5; count += 1) {
          box.kept.sent += 1
          await channel.broadcast({ type: 'testContextZ', id: { key: `${box.kept.sent}` } })
        }
      })
      await channel.addEventListener('unsubscribe', ({ details }) => {
        box.kept.events.push(`unsubscribe ${details.contextType}`)
      })
      await channel.addEventListener('disconnect', () => box.kept.events.push('disconnect'))
      await channel.addEventListener(null, ({ type }) => box.kept.all.push(type))
      await channel.addContextListener('testContextX', (context) => box.kept.contexts.push(context))
      return channel
    })
  },
  // Asks the kitchen as soon as it is there.
  async asks(fdc3, box) {
    const resolution = await fdc3.raiseIntent('ShowOrder', { type: 'till.order' })
    box.seen.push(await resolution.getResult())
  },
  // Opened with a context: listens for any, for its type, for two types, or for the wrong one.
  opensAny: (fdc3, box) => fdc3.addContextListener(null, (context) => box.seen.push(context)),
  opensInstrument: (fdc3, box) =>
    fdc3.addContextListener('fdc3.instrument', (context) => box.seen.push(context)),
  async opensTwo(fdc3, box) {
    box.kept.contacts = []
    await fdc3.addContextListener('fdc3.contact', (context) => box.kept.contacts.push(context))
    await fdc3.addContextListener('fdc3.instrument', (context) => box.seen.push(context))
  },
  opensWrong: (fdc3, box) =>
    fdc3.addContextListener('fdc3.dummyType', (context) => box.seen.push(context)),
}
