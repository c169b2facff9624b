/**
 * An app of a test: the official client over the bus. The test has it do things by sending the text of a function,
 * which is called with the client and a box that outlives the call.
 */
import { connectBus } from '../../../../dist/host/bus/client.js'
import { getAgent } from '../../../../dist/host/fdc3/index.js'
import { makeBox, roles } from './roles.mjs'

const { socket, instance, token, role } = JSON.parse(process.argv[2])
const bus = await connectBus({ socket, instance, token })
const box = makeBox()
let fdc3
if (role !== 'silent') {
  fdc3 = await getAgent({ bus })
  await roles[role]?.(fdc3, box)
}

process.on('message', async ({ id, code, args }) => {
  try {
    const call = new Function(`return ${code}`)()
    process.send({ id, value: await call(fdc3, box, ...args) })
  } catch (error) {
    process.send({ id, error: String(error?.message ?? error) })
  }
})
process.on('disconnect', () => process.exit(0))
process.send({ ready: true })
