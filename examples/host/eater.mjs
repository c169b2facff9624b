// An app that takes as many MB of memory as its argument says, once it is ready, and keeps them.
import { connectHost } from 'pos-kernel/host/app'

const host = await connectHost()
host.ready()

const wanted = Number(process.argv[2] ?? 0)
const held = []
for (let taken = 0; taken < wanted; taken += 4) {
  // Each page is written to, so that the memory is really there.
  held.push(Buffer.alloc(4 * 1024 * 1024, 1))
  console.log(`${taken + 4} MB`)
}
