// Holds the lock of an operation until it is killed: `operation-holder.mjs ROOT NAME`.
import { setTimeout } from 'node:timers/promises'
import { withOperationLock } from 'pos-kernel'

const [root, name] = process.argv.slice(2)
await withOperationLock(root, name, async () => {
  console.log('held')
  await setTimeout(3_600_000)
})
