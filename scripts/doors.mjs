/**
 * The doors of the kernel: every operation has one of each kind, or a reason.
 *
 * Reads `crates/kernel/operations.json`, the one list, and compares it with the kernel's public
 * functions, with `index.d.ts` and with `pos_kernel.h`. Then carries the C header to its other
 * faces: the imports of the C# and Python hosts, and the reference. With `--check` nothing is
 * written and a difference is a failure.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { csharpModernOf, csharpOf } from './doors/csharp.mjs'
import { parseHeader } from './doors/header.mjs'
import { pythonOf } from './doors/python.mjs'
import { referenceOf } from './doors/reference.mjs'
import { root } from './run.mjs'

const isCheck = process.argv.includes('--check')
const problems = []
const read = (file) => readFileSync(path.join(root, file), 'utf8').replaceAll('\r\n', '\n')

const header = parseHeader(read('crates/capi/include/pos_kernel.h'))
const { operations, doorsOnly } = JSON.parse(read('crates/kernel/operations.json'))

checkKernel()
checkDoor('c', new Set(header.functions.map(({ name }) => name)), 'pos_kernel.h')
checkDoor('node', nodeNames(), 'index.d.ts')
checkReasons()
carry('examples/dotnet/RustNative.cs', csharpOf(header))
carry('examples/dotnet/RustNative.Modern.cs', csharpModernOf(header))
carry('examples/python/pos_kernel_native.py', pythonOf(header))
carry(
  'docs/reference/c-abi.md',
  referenceOf(header, roomsOfFunctions(), read('docs/reference/c-abi.md')),
)

for (const problem of problems) console.log(`doors: ${problem}`)
const counts = `${operations.length} operations, ${header.functions.length} functions of C`
console.log(`doors: ${counts}, ${problems.length} problems`)
process.exitCode = problems.length > 0 ? 1 : 0

/** Every public function of the kernel's entrances stands in the list, and nothing else does. */
function checkKernel() {
  const found = new Set()
  const entrances = new Set(['Store', 'Terminal', 'History', 'Currency'])
  for (const file of rustFiles('crates/kernel/src')) {
    let owner
    for (const line of read(file).split('\n')) {
      owner = /^impl(?:<[^>]*>)? (?:.* for )?(\w+)/.exec(line)?.[1] ?? owner
      const method = /^ {4}pub (?:const )?fn (\w+)/.exec(line)?.[1]
      if (method !== undefined && entrances.has(owner)) found.add(`${owner}::${method}`)
      const free = /^pub fn (verify_\w+|export_\w+|show)\b/.exec(line)?.[1]
      if (free !== undefined) found.add(`journal::${free}`)
    }
  }
  const listed = new Set(operations.map(({ kernel }) => kernel))
  for (const name of found) {
    if (!listed.has(name)) problems.push(`${name} has no line in crates/kernel/operations.json`)
  }
  for (const name of listed) {
    if (!found.has(name)) problems.push(`operations.json: the kernel has no ${name}`)
  }
}

/** What the list says of a door exists, and what the door has stands in the list. */
function checkDoor(door, names, file) {
  const listed = new Set([
    ...operations.flatMap((operation) => operation[door]),
    ...doorsOnly[door],
  ])
  for (const name of listed) {
    if (!names.has(name)) problems.push(`operations.json: ${file} has no ${name}`)
  }
  for (const name of names) {
    if (!listed.has(name)) problems.push(`${file}: ${name} has no line in operations.json`)
  }
}

function checkReasons() {
  for (const { kernel, c, node, why } of operations) {
    const isWhole = c.length > 0 && node.length > 0
    if (!isWhole && why === undefined) problems.push(`${kernel} lacks a door and gives no reason`)
    if (isWhole && why !== undefined) problems.push(`${kernel} has every door and a reason too`)
  }
}

/** Methods of NativeTerminal, and functions. */
function nodeNames() {
  const text = read('index.d.ts')
  const body = /export declare class NativeTerminal \{([\s\S]*?)\n\}/.exec(text)?.[1] ?? ''
  const methods = [...body.matchAll(/^ {2}(\w+)\(/gm)]
  const functions = [...text.matchAll(/^export declare function (\w+)/gm)]
  return new Set([...methods, ...functions].map(([, name]) => name))
}

/** Which source each function stands in, in the order of the header. */
function roomsOfFunctions() {
  const rooms = new Map()
  for (const file of rustFiles('crates/capi/src')) {
    const text = read(file)
    const names = [...text.matchAll(/extern "C" fn (p[kl]_\w+)/g)].map(([, name]) => name)
    const about = [...text.matchAll(/^\/\/! ?(.*)$/gm)].map(([, line]) => line).join('\n')
    for (const name of names) rooms.set(name, { room: path.basename(file, '.rs'), about })
  }
  return rooms
}

function rustFiles(folder) {
  const entries = readdirSync(path.join(root, folder), { withFileTypes: true })
  return entries.flatMap((entry) => {
    const name = `${folder}/${entry.name}`
    if (entry.isDirectory()) return rustFiles(name)
    return name.endsWith('.rs') ? [name] : []
  })
}

function carry(name, text) {
  const file = path.join(root, name)
  if (existsSync(file) && read(name) === text) return
  if (isCheck) {
    problems.push(`${name} is not what the header says; run "npm run header"`)
    return
  }
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
  console.log(`doors: wrote ${name}`)
}
