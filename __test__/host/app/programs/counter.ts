/** Counts its starts, and does what its first argument says. */
import { connectHost } from '../../../../ts/host/app/index.js'

const host = await connectHost()
const { value = { starts: 0 } } = await host.state.restore<{ starts: number }>()
value.starts += 1
host.state.keep(
  () => value,
  () => ({ offset: value.starts * 10 }),
)
host.onDrain(({ why }) => console.log(`drained: ${why}`))
host.onShed(({ usedBytes, limitBytes }) => limitBytes - usedBytes)
host.ready()

const what = process.argv[2]
if (what === 'throw')
  setImmediate(() => {
    throw Object.assign(new Error('the drawer is stuck'), { code: 'DRAWER' })
  })
else if (what === 'reject') void Promise.reject(new TypeError('nobody waits for this'))
else if (what === 'throw-hostile')
  setImmediate(() => {
    throw {
      toString() {
        throw new Error('not even this')
      },
    }
  })
else if (what === 'degraded') host.degraded('the printer has no paper')
else if (what === 'endless-drain')
  host.onDrain(
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('too late')))
      }),
  )
else if (what === 'bad-drain')
  host.onDrain(() => {
    throw new Error('cannot drain')
  })
else if (what === 'close') await host.close()
