/** What is kept of runs is the host's alone, and what is removed of them is what the app wrote. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { HostPlace } from '../../../ts/host/place.js'
import { forgetEnded } from '../../../ts/host/supervisor/records.js'
import { removeUntrusted } from '../../../ts/host/untrusted.js'

/** So many that whoever removes them by their paths is still at it when the folder is another. */
const files = 2000

function fill(folder: string): void {
  fs.mkdirSync(folder, { recursive: true })
  for (let index = 0; index < files; index++) fs.writeFileSync(path.join(folder, `${index}`), '')
}

/** A folder, and files in it that nobody may touch. */
function room(t: ExecutionContext) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'pk-records-'))
  t.teardown(() => fs.rmSync(root, { recursive: true, force: true, maxRetries: 5 }))
  const victim = path.join(root, 'victim')
  fill(victim)
  const isWhole = () => fs.readdirSync(victim).length === files
  return { root, victim, isWhole }
}

test('of the runs that ended the last four are kept, and of the others nothing is followed', (t) => {
  const { root, victim, isWhole } = room(t)
  const place = new HostPlace(root)
  for (let number = 1; number <= 7; number++) {
    const [run, instance] = [place.run(`a.${number}`), place.instance(`a.${number}`)]
    for (const folder of [run, path.join(instance, 'deep', 'deeper')])
      fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(path.join(run, number === 7 ? 'instance.json' : 'ended.json'), '{}')
    fs.writeFileSync(path.join(instance, 'deep', 'note'), 'x')
    fs.symlinkSync(victim, path.join(instance, 'deep', 'deeper', 'link'))
    // A name that is no text.
    fs.writeFileSync(Buffer.concat([Buffer.from(`${instance}/`), Buffer.from([0xff, 0xfe])]), '')
  }
  // The whole folder may be a link.
  fs.rmSync(place.instance('a.1'), { recursive: true })
  fs.symlinkSync(victim, place.instance('a.1'))
  forgetEnded(place, 'a')
  const kept = ['a.3', 'a.4', 'a.5', 'a.6', 'a.7']
  t.deepEqual(fs.readdirSync(place.app('a', 'runs')).sort(), kept)
  t.deepEqual(fs.readdirSync(place.app('a', 'instances')).sort(), kept)
  t.true(isWhole())
})

/** Swaps a folder for a link without end, in the folder that it stands in, wherever that is moved. */
const swapper = `
const fs = require('node:fs')
process.chdir(process.argv[1])
const quietly = (act) => { try { act() } catch {} }
process.stdout.write('x')
for (;;) {
  quietly(() => fs.renameSync('d', 'e'))
  quietly(() => fs.symlinkSync(process.argv[2], 'd'))
  quietly(() => fs.unlinkSync('d'))
  quietly(() => fs.renameSync('e', 'd'))
}`

test('a folder is removed under the hands of who swaps its parts for links', async (t) => {
  const { root, victim, isWhole } = room(t)
  const children: ChildProcess[] = []
  t.teardown(() => {
    for (const child of children) child.kill('SIGKILL')
  })
  for (let round = 0; round < 6; round++) {
    const folder = path.join(root, `app-${round}`)
    const bin = path.join(root, `bin-${round}`)
    // The same names as those of the victim.
    fill(path.join(folder, 'd'))
    const child = spawn(process.execPath, ['-e', swapper, folder, victim], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    await once(child.stdout, 'data')
    for (let attempt = 0; attempt < 50; attempt++) {
      try {
        removeUntrusted(folder, bin)
        break
      } catch (error) {
        // It put something there in the meantime: the next call goes on.
        t.regex((error as NodeJS.ErrnoException).code ?? '', /^ENOTEMPTY|ENOENT|EEXIST$/)
      }
    }
    child.kill('SIGKILL')
    await once(child, 'exit')
    t.true(isWhole())
    t.false(fs.existsSync(folder))
    removeUntrusted(folder, bin)
    t.false(fs.existsSync(bin))
  }
})
