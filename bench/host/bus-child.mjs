/** A process of `bus.mjs`: an app with the client of the package, or a peer that writes frames by hand. */
import net from 'node:net'
import { connectBus } from '../../dist/host/bus/client.js'
import { FrameSplitter, frameBytes, Kind } from '../../dist/host/wire/frame.js'

const payload = Buffer.alloc(100, 7)
const inFlight = 256
let serve = () => {}

process.on('disconnect', () => process.exit())
process.once('message', async (task) => {
  serve = await roles[task.role](task)
  process.on('message', async (order) => process.send((await serve(order)) ?? {}))
  process.send('ready')
})

const roles = {
  /** Answers, hears, and measures. */
  async app({ socket, instance, token }) {
    const bus = await connectBus({ socket, instance, token })
    bus.onRequest((bytes) => bytes)
    bus.onMessage(() => {})
    let heard = 0
    if (instance !== 'a.1') {
      await bus.subscribe('price', () => {
        heard += 1
      })
    }
    return async ({ trips, echoes, messages, publishes, to, topic, counting }) => {
      if (trips !== undefined) return tripsOf(trips, () => bus.request(to, payload))
      if (echoes !== undefined) return rateOf(echoes, inFlight, () => bus.request(to, payload))
      if (messages !== undefined) return rateOf(messages, inFlight, () => bus.send(to, payload))
      if (publishes !== undefined) return rateOf(publishes, 64, () => bus.publish(topic, payload))
      if (counting) heard = 0
      else for (let last = -1; last !== heard; await pause()) last = heard
      return { count: heard }
    }
  },

  /** Echoes frames over a socket of its own. */
  async 'bare-server'({ socket }) {
    const server = net.createServer((peer) => {
      const frames = new FrameSplitter()
      peer.on('error', () => {})
      peer.on('data', (bytes) => {
        const answers = []
        frames.push(bytes)
        while (frames.next()) answers.push(frames.bytes.subarray(frames.start, frames.end))
        if (answers.length > 0)
          peer.write(answers.length === 1 ? answers[0] : Buffer.concat(answers))
      })
    })
    await new Promise((resolve) => server.listen(socket, resolve))
    return async () => {}
  },

  /** Asks it. */
  async 'bare-client'({ socket }) {
    const peer = net.connect(socket)
    await new Promise((resolve) => peer.once('connect', resolve))
    const frames = new FrameSplitter()
    const waiting = []
    let gathered = []
    peer.on('data', (bytes) => {
      frames.push(bytes)
      while (frames.next()) waiting.shift()()
    })
    const frame = frameBytes(Kind.request, 1, 'b.1', payload)
    const request = () =>
      new Promise((resolve) => {
        waiting.push(resolve)
        gathered.push(frame)
        if (gathered.length > 1) return
        process.nextTick(() => {
          peer.write(gathered.length === 1 ? gathered[0] : Buffer.concat(gathered))
          gathered = []
        })
      })
    return ({ trips, echoes }) =>
      trips === undefined ? rateOf(echoes, inFlight, request) : tripsOf(trips, request)
  },

  /** Counts what it is sent, and gives room back. */
  async 'raw-sink'(task) {
    let count = 0
    const peer = await rawPeer(task, (found, bytes) => {
      count += found
      const credit = Buffer.alloc(4)
      credit.writeUInt32LE(bytes)
      peer.write(frameBytes(Kind.credit, 0, '', credit))
    })
    return async ({ counting }) => {
      if (counting) count = 0
      else for (let last = -1; last !== count; await pause()) last = count
      return { count }
    }
  },

  /** Writes frames as fast as they are taken. */
  async 'raw-source'(task) {
    const peer = await rawPeer(task, () => {})
    return async ({ write, to }) => {
      const frame = frameBytes(Kind.note, 0, to, payload)
      const many = Buffer.concat(Array.from({ length: 500 }, () => frame))
      const until = performance.now() + write * 1000
      let written = 0
      while (performance.now() < until) {
        const isTaken = peer.write(many)
        written += 500
        if (!isTaken) await new Promise((resolve) => peer.once('drain', resolve))
        else await new Promise((resolve) => setImmediate(resolve))
      }
      return { perSecond: written / write }
    }
  },
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, 5))
}

async function rawPeer({ socket, instance, token }, onFrames) {
  const peer = net.connect(socket)
  const frames = new FrameSplitter()
  peer.on('error', () => {})
  const hello = Buffer.from(JSON.stringify({ protocol: 1, instance, token }))
  peer.write(frameBytes(Kind.hello, 0, '', hello))
  await new Promise((resolve) => {
    let isWelcome = false
    peer.on('data', (chunk) => {
      let count = 0
      let bytes = 0
      frames.push(chunk)
      while (frames.next()) {
        if (frames.bytes[frames.start + 4] !== Kind.note) {
          isWelcome ||= frames.bytes[frames.start + 4] === Kind.welcome
          continue
        }
        count += 1
        bytes += frames.end - frames.start
      }
      if (count > 0) onFrames(count, bytes)
      if (isWelcome) resolve()
    })
  })
  return peer
}

async function tripsOf(seconds, trip) {
  const until = performance.now() + seconds * 1000
  const took = []
  while (performance.now() < until) {
    const began = performance.now()
    await trip()
    took.push((performance.now() - began) * 1000)
  }
  took.sort((a, b) => a - b)
  const at = (share) => Math.round(took[Math.floor(took.length * share)])
  return { p50: at(0.5), p99: at(0.99) }
}

async function rateOf(seconds, underWay, once) {
  const began = performance.now()
  const until = began + seconds * 1000
  let count = 0
  const worker = async () => {
    while (performance.now() < until) {
      await once()
      count += 1
    }
  }
  await Promise.all(Array.from({ length: underWay }, worker))
  const ms = performance.now() - began
  return { perSecond: (count * 1000) / ms, ms }
}
