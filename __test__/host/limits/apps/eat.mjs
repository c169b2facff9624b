/** An app of the tests of limits: takes what its first argument says, and more of it than it may have. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, openSync, writeFileSync } from 'node:fs'

const [what, ...rest] = process.argv.slice(2)
const MiB = 1024 * 1024
const kept = []
/** Says once that it is at work. */
const ready = () => existsSync('ready') || writeFileSync('ready', '')

/** Takes memory in steps and touches every page of it, at so many MiB a second; 0 is as fast as it goes. */
function leak(take, mibPerSecond) {
  const step = 2
  const began = performance.now()
  for (let taken = 0; ; taken += step) {
    kept.push(take(step * MiB))
    while (mibPerSecond > 0 && (taken * 1000) / (performance.now() - began) > mibPerSecond);
  }
}

const appetites = {
  arrays: () => leak((bytes) => new Uint8Array(bytes).fill(1), Number(rest[0] ?? 0)),
  buffers: () => leak((bytes) => Buffer.alloc(bytes, 1), Number(rest[0] ?? 0)),
  heap: () => {
    for (;;) kept.push(Array.from({ length: 1000 }, (_, index) => ({ index })))
  },
  hold: () => {
    kept.push(Buffer.alloc(Number(rest[0]) * MiB, 1))
    ready()
    setInterval(() => undefined, 1000)
  },
  burn: () => {
    ready()
    for (;;);
  },
  files: () => {
    for (;;) {
      try {
        kept.push(openSync('/dev/null'))
      } catch ({ code }) {
        // Told through what is open already: there is room for no file.
        console.log(`${kept.length} files, then ${code}`)
        return
      }
    }
  },
  child: () => {
    try {
      console.log(`a child says ${execFileSync('/bin/echo', ['hello'])}`)
    } catch ({ code }) {
      console.log(`no child: ${code}`)
    }
  },
  bomb: () => {
    const child = () => spawn('/bin/sh', ['-c', 'f() { f | f & }; f'], { stdio: 'ignore' })
    setInterval(() => child().on('error', () => undefined), 5)
    ready()
  },
}

if (process.env.EAT_WHEN_TOLD === undefined) appetites[what]()
else {
  ready()
  const wait = setInterval(() => {
    if (!existsSync('go')) return
    clearInterval(wait)
    appetites[what]()
  }, 5)
}
