/** The `@example` blocks of the public API compile as they stand. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import ts from 'typescript'
import * as api from '../../ts/index.js'
import { projectRoot } from '../support/child.js'

const folders = ['ts', 'ts/kernel']

/** What an example may use without saying where it comes from: the package, and the usual names. */
const prelude = `
import * as poskernel from '../../ts/index.js'
const { ${Object.keys(api).join(', ')} } = poskernel
declare const terminal: poskernel.Terminal
declare const sale: poskernel.Sale
declare const bank: poskernel.Dispatcher
declare const manager: poskernel.Terminal
declare const message: poskernel.Message
declare const rules: poskernel.Rules
declare const cart: poskernel.Cart
declare const receipt: poskernel.Receipt
declare const proof: poskernel.Proof
declare const device: { sign(words: string): Promise<string> }
declare const publicKey: string
declare const error: unknown
`

interface Example {
  readonly place: string
  readonly code: string
}

/** Every example of a file, with the line it begins in. */
function examplesOf(file: string): Example[] {
  const text = readFileSync(path.join(projectRoot, file), 'utf8')
  const found: Example[] = []
  for (const comment of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const lines = comment[0].split('\n').map((line) => line.replace(/^\s*\*\/?\s?/, ''))
    const firstLine = text.slice(0, comment.index).split('\n').length
    const tags = [...lines.keys()].filter((index) => lines[index]?.startsWith('@'))
    for (const [nth, start] of tags.entries()) {
      if (!lines[start]?.startsWith('@example')) continue
      const code = lines.slice(start + 1, tags[nth + 1]).join('\n')
      found.push({ place: `${file}:${firstLine + start + 1}`, code })
    }
  }
  return found
}

const examples = folders.flatMap((folder) =>
  readdirSync(path.join(projectRoot, folder))
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => examplesOf(`${folder}/${name}`)),
)

test('every example compiles', (t) => {
  t.true(examples.length >= 30, `${examples.length} examples`)
  const name = path.join(projectRoot, '__test__/docs/all-examples.ts')
  // Each in a block of its own: an example may use a name that another declares.
  const bodies = examples.map(({ code }, index) => {
    return `export async function example${index}() {\n{\n${code}\n}\n}`
  })
  const source = `${prelude}\n${bodies.join('\n')}\n`
  const config = ts.readConfigFile(path.join(projectRoot, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, projectRoot)
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists } = host
  host.fileExists = (file) => file === name || fileExists(file)
  host.readFile = (file) => (file === name ? source : readFile(file))
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (file, ...rest) =>
    file === name ? ts.createSourceFile(file, source, rest[0]) : read(file, ...rest)
  const compiled = ts.createProgram([name], options, host)
  for (const { messageText, start = 0 } of ts.getPreEmitDiagnostics(compiled)) {
    const before = source.slice(0, start)
    const index = [...before.matchAll(/function example(\d+)/g)].at(-1)?.[1]
    const place = examples[Number(index)]?.place ?? 'the prelude'
    t.fail(`${place}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
  }
})
