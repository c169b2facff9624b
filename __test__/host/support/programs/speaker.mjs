/**
 * An app of tests that speaks the control protocol and nothing else. Its arguments say what is wrong with it:
 * `exit=CODE` at once, `mute` never ready, `late=MS` that it is silent before it is ready, `hang` after it is ready,
 * `deaf` to drain, `stubborn` to SIGTERM too,
 * `eat=MIB` of memory once it is ready, `messages=N` handled with the first heartbeat,
 * `moody=N` times degraded and ready in turns and degraded in the end, `file=PATH` gets a line at each start.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { Channel, jsonBytes, jsonOf } from '../../../../dist/host/wire/channel.js'
import { frameBytes, Kind } from '../../../../dist/host/wire/frame.js'

const boot = JSON.parse(readFileSync(Number(process.env.POS_KERNEL_HOST_FD), 'utf8'))
let { instance, token } = boot
let args = boot.instance.includes('.spare-') ? [] : process.argv.slice(2)
let control

const option = (name) => args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1)

function begin() {
  const file = option('file')
  if (file !== undefined) appendFileSync(file, `${instance} ${process.pid}\n`)
  if (option('exit') !== undefined) process.exit(Number(option('exit')))
  if (args.includes('stubborn')) process.on('SIGTERM', () => {})
}

function ready() {
  if (instance.includes('.spare-') || args.includes('mute')) return
  control?.note('ready', jsonBytes({ restored: 'none' }))
  const turns = Number(option('moody') ?? 0)
  for (let turn = 0; turn < turns; turn += 1) {
    control?.note('degraded', jsonBytes({ why: `turn ${turn}` }))
    control?.note('ready', jsonBytes({ restored: 'none' }))
  }
  if (turns > 0) control?.note('degraded', jsonBytes({ why: 'the last' }))
  const eaten = Number(option('eat') ?? 0)
  if (eaten > 0) globalThis.kept ??= Buffer.alloc(eaten * 1024 * 1024, 1)
  if (args.includes('hang')) {
    setTimeout(() => {
      for (;;);
    }, 50)
  }
}

function connect() {
  const socket = net.connect(boot.sockets.control)
  const channel = new Channel(socket, {
    onFrame: ({ kind }) => {
      if (kind !== Kind.welcome) process.exit(9)
      const late = option('late')
      if (late === undefined) {
        control = channel
        ready()
        beat()
        return
      }
      setTimeout(() => {
        control = channel
        ready()
      }, Number(late))
    },
    onRequest: (name, payload) => {
      const value = jsonOf(payload)
      if (name === 'become') {
        ;({ instance, token } = value)
        args = value.args
        begin()
        setImmediate(ready)
        return jsonBytes({ instance })
      }
      if (name === 'shed') return jsonBytes({ freedBytes: 0 })
      if (name === 'drain' && !args.includes('deaf') && !args.includes('stubborn')) {
        setTimeout(() => process.exit(0), 5)
        return jsonBytes({ saved: true })
      }
      return new Promise(() => {})
    },
    onEnd: () => setTimeout(connect, 20),
  })
  socket.once('connect', () => {
    const hello = { protocol: 1, role: 'app', instance, token, pid: process.pid }
    channel.send(frameBytes(Kind.hello, 0, '', jsonBytes(hello)))
  })
}

function beat() {
  const health = {
    at: Date.now(),
    loopP50: 0,
    loopP99: 0,
    heapUsed: process.memoryUsage().heapUsed,
    handles: 20,
    messages: Number(option('messages') ?? 0),
    terminal: null,
  }
  control?.note('heartbeat', jsonBytes(health))
}

begin()
connect()
setInterval(beat, boot.heartbeatMs)
