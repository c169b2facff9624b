/** Leaves while a minimisation is under way: argument `exit` ends the process, `worker` a worker. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const { minimize } = await import('../../../dist/index.js')

/** Threads of this process that minimise. */
const logicThreads = () =>
  readdirSync('/proc/self/task').filter(
    (id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8') === 'logic\n',
  ).length

if (!isMainThread) {
  void minimize(workerData, { mode: 'exact', onProgress: () => parentPort.postMessage('runs') })
} else {
  const [what, ...rows] = [process.argv[2], '.i 14', '.o 8']
  for (let point = 0; point < 2 ** 14; point += 1) {
    const outputs = (Math.imul(point + 1, 2_654_435_761) >>> 8) & 255
    rows.push(`${point.toString(2).padStart(14, '0')} ${outputs.toString(2).padStart(8, '0')}`)
  }
  const table = rows.join('\n')
  if (what === 'exit') {
    void minimize(table, { mode: 'exact', onProgress: () => process.exit(7) })
  } else {
    const worker = new Worker(new URL(import.meta.url), { workerData: table })
    await new Promise((resolve) => worker.once('message', resolve))
    console.log(`while it runs: ${logicThreads()}`)
    await worker.terminate()
    while (logicThreads() > 0) await sleep(10)
    console.log('afterwards: 0')
  }
}
