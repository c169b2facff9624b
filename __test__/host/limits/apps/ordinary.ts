/** A host of an ordinary user: starts an app that leaks, and prints what held it and how it ended. */
import { Governed } from '../bench-app.js'

const governed = new Governed()
try {
  const limits = { maxMemory: 128 * 1024 * 1024, maxCPU: 50 }
  const env = { EAT_WHEN_TOLD: '1' }
  const started = await governed.start({ args: ['arrays'], env, limits })
  await started.ready()
  await started.hold.usage(await started.launched.pids())
  started.go()
  const record = await started.exited
  const { rings } = governed.governor
  const { held } = started.launched
  const { boundaries, rings: holds } = started.hold
  console.log(JSON.stringify({ rings, holds, boundaries, held, record }))
} finally {
  await governed.close()
}
