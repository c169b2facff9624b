/** The C# guide does what it says: its programs compile by its command, run, and print what they say. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { posKernel, projectRoot } from '../support/child.js'
import { has, host, inSharp, needing, prefix } from '../support/hosts.js'
import { tempStore } from '../support/store.js'

const guide = readFileSync(path.join(projectRoot, 'docs/guide/csharp-in-ten-minutes.md'), 'utf8')

function blocks(language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm')
  return [...guide.matchAll(fence)].map(([, code]) => code ?? '')
}

const compiler = has('mcs') ? inSharp() : undefined
const [run, why] = needing('mono', compiler)

blocks('csharp').forEach((program, index) => {
  run(`program ${index + 1} of the C# guide${why}`, async (t) => {
    const cwd = tempStore(t)
    writeFileSync(path.join(cwd, 'Till.cs'), program)
    for (const name of ['RustNative.cs', 'PosTerminalClient.cs']) {
      copyFileSync(path.join(projectRoot, 'examples/dotnet', name), path.join(cwd, name))
    }
    copyFileSync(path.join(prefix, 'lib/libpos_kernel.so'), path.join(cwd, 'libpos_kernel.so'))
    const [command = ''] = blocks('sh')
    const env = { POS_KERNEL_ROOT: path.join(cwd, 'store') }
    const { code, stdout, stderr } = await host(['sh', '-e', '-c'], [command], { cwd, env })
    t.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    // `Console.WriteLine(...); // what it prints`
    const printed = [...program.matchAll(/Console\.WriteLine\(.*\); \/\/ (.*)$/gm)]
    t.true(printed.length > 0)
    t.deepEqual(
      stdout.trim().split('\n'),
      printed.map(([, text]) => text),
    )
    const verified = await posKernel(['verify', '--root', env.POS_KERNEL_ROOT, '--json'])
    t.is(verified.code, 0, verified.stdout)
  })
})

test('the guide has a program for each way to call', (t) => {
  t.is(blocks('csharp').length, 2)
  t.is(blocks('sh').length, 1)
})
