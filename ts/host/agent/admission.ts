/** The broker's word on who a page is: it knows the tokens of all runs, the agent does not. */
import { connectBus } from '../bus/client.js'
import type { Admission } from './gateway/gateway.js'

const admitMs = 3000

/** True when the broker takes this token for this run. */
export async function connectBroker(
  socket: string,
  { instance, token }: Admission,
): Promise<boolean> {
  if (instance.startsWith('host/')) return false
  try {
    const bus = await connectBus({ socket, instance, token, connectMs: admitMs })
    await bus.close()
    return true
  } catch {
    return false
  }
}
