/** How a utility process of Electron learns who it is: by the first message of its parent, on a port that only it has. */
import { type Bootstrap, bootstrapOf } from './bootstrap.js'

/** Name of the bootstrap in that message. */
export const bootstrapMessage = 'pos-kernel-bootstrap'

/** What Electron adds to `process` in a utility process. */
interface ParentPort {
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown
  off(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown
}

/** The bootstrap of a utility process; undefined elsewhere. */
export async function bootstrapOfParent(): Promise<Bootstrap | undefined> {
  const { parentPort } = process as { parentPort?: ParentPort }
  if (parentPort === undefined || typeof parentPort.on !== 'function') return undefined
  const value = await new Promise<unknown>((resolve) => {
    const hear = ({ data }: { readonly data: unknown }) => {
      if (typeof data !== 'object' || data === null || !(bootstrapMessage in data)) return
      parentPort.off('message', hear)
      resolve((data as Record<string, unknown>)[bootstrapMessage])
    }
    parentPort.on('message', hear)
  })
  return bootstrapOf(value)
}
