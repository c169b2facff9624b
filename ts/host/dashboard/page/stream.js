/** Server-sent events, read by hand: the browser's own reader cannot send the key in a header. */
import { request } from './session.js'

const retryMs = 1000

/**
 * Hears everything that the server says, for as long as the page is open.
 *
 * @param {(name: string, value: any) => void} onMessage
 * @param {(state: 'open' | 'lost' | 'refused') => void} onState
 */
export async function listen(onMessage, onState) {
  for (;;) {
    try {
      const response = await request('/api/stream')
      if (response.status === 401) {
        onState('refused')
        return
      }
      if (response.ok && response.body !== null) {
        onState('open')
        await read(response.body, onMessage)
      }
    } catch {
      // The server is away; it is asked again.
    }
    onState('lost')
    await new Promise((resolve) => setTimeout(resolve, retryMs))
  }
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {(name: string, value: any) => void} onMessage
 */
async function read(body, onMessage) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    rest += value
    const blocks = rest.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const name = /^event: (.*)$/m.exec(block)?.[1]
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (name !== undefined && data !== undefined) onMessage(name, JSON.parse(data))
    }
  }
}
