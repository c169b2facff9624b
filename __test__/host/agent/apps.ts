/** The directory that the standard's tests ask for, with the apps under their letters. */
import { appOf, listensFor } from '../../support/fdc3.js'

const x = 'testContextX'
const y = 'testContextY'
const z = 'testContextZ'

/** App A's record has every field that the tests of metadata look at. */
export const recordOfA = {
  title: 'App A',
  version: '1.0.0',
  tooltip: 'Raises no questions',
  description: 'For tests of intents without results',
  icons: [{ src: 'http://localhost/icon.png', size: '16x16', type: 'image/png' }],
  screenshots: [{ src: 'http://localhost/shot.png', label: 'All of it' }],
}

/** The apps. */
export const conformanceApps: readonly object[] = [
  appOf('test'),
  appOf('channels'),
  appOf('a', {
    ...recordOfA,
    ...listensFor({ aTestingIntent: [[x, z]], sharedTestingIntent1: [[x]] }),
  }),
  appOf('b', listensFor({ bTestingIntent: [[y]], sharedTestingIntent1: [[x, y], y] })),
  appOf('c', listensFor({ cTestingIntent: [[x], z] })),
  appOf('d', listensFor({ sharedTestingIntent2: [[x], z] })),
  appOf('e', listensFor({ sharedTestingIntent2: [[y], 'channel'] })),
  appOf('f', listensFor({ sharedTestingIntent2: [[y], `channel<${z}>`] })),
  appOf('g', listensFor({ sharedTestingIntent2: [[y]] })),
  appOf('h', listensFor({ sharedTestingIntent2: [[y], z] })),
  appOf('i', listensFor({ sharedTestingIntent2: [[y], z] })),
  appOf(
    'j',
    listensFor({
      privateChannelIsPrivate: [['privateChannelDetails'], 'privateChannelIsPrivateResult'],
    }),
  ),
  appOf('k', listensFor({ kTestingIntent: [[x], `channel<${z}>`] })),
  appOf('l', listensFor({ lTestingIntent: [[x]] })),
  appOf('opensAny'),
  appOf('opensInstrument'),
  appOf('opensTwo'),
  appOf('opensWrong'),
]
