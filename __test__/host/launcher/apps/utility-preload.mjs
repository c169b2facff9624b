/**
 * What a script of the stand-in finds in a utility process of Electron: `process.parentPort`, which keeps messages until
 * somebody listens, no `process.send`; and the end of the process when its main process is gone, as Chromium ends each
 * child whose channel is lost.
 */
import { EventEmitter } from 'node:events'

class ParentPort extends EventEmitter {
  #waiting = []

  constructor() {
    super()
    process.on('message', (data) => {
      if (this.listenerCount('message') === 0) this.#waiting.push(data)
      else this.emit('message', { data, ports: [] })
    })
    process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
    this.on('newListener', (event) => {
      if (event !== 'message') return
      queueMicrotask(() => {
        for (const data of this.#waiting.splice(0)) this.emit('message', { data, ports: [] })
      })
    })
  }

  postMessage(message) {
    send(message)
  }
}

const send = process.send.bind(process)
process.send = undefined
process.parentPort = new ParentPort()
