import test from 'ava'
import { parseManifest } from '../../../ts/host/manifest/manifest.js'
import { startOrder, takenAlong, waitsFor } from '../../../ts/host/supervisor/order.js'

const { apps } = parseManifest(
  {
    apps: [
      {
        startup_app: { uuid: 'page', name: 'Page', url: 'https://shop.example' },
        dependsOn: ['desk', 'clock'],
      },
      { startup_app: { uuid: 'desk', name: 'Desk', script: 'a.mjs' } },
      { startup_app: { uuid: 'clock', name: 'Clock', script: 'a.mjs' }, dependsOn: ['desk'] },
    ],
  },
  '/',
)
const order = startOrder(apps)

test('what an app depends on starts before it', (t) => {
  t.deepEqual(order, ['desk', 'clock', 'page'])
})

test('a strategy says whom a failure takes along', (t) => {
  t.deepEqual(takenAlong('one_for_one', order, 'clock'), ['clock'])
  t.deepEqual(takenAlong('rest_for_one', order, 'clock'), ['clock', 'page'])
  t.deepEqual(takenAlong('one_for_all', order, 'clock'), ['desk', 'clock', 'page'])
})

test('an app waits for what it needs, and for those before it that were taken along', (t) => {
  const [page, desk] = apps
  if (page === undefined || desk === undefined) throw new Error('no apps')
  const serving = new Set(['desk'])
  const resting = new Set<string>()
  const standing = (uuid: string) => ({
    isServing: serving.has(uuid),
    hasRuns: serving.has(uuid),
    isResting: resting.has(uuid),
  })
  t.is(waitsFor(page, [], standing), 'waits for clock')
  resting.add('clock')
  t.is(waitsFor(page, [], standing), 'waits for clock, which rests')
  serving.add('clock')
  t.is(waitsFor(page, order, standing), undefined)
  serving.delete('desk')
  t.is(waitsFor(desk, order, standing), undefined)
})
