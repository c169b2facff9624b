/** Programs of the host that run in processes of their own, as they lie beside this one: built, or as sources. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const host = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')

/** The script of a program, and what Node needs to run it. */
export function hostProgram(
  room: string,
  name: string,
): { readonly script: string; readonly nodeArgs: readonly string[] } {
  const built = path.join(host, room, `${name}.js`)
  if (existsSync(built)) return { script: built, nodeArgs: [] }
  // From sources: under the loader that this process runs under, whatever its working folder.
  const prefix = '--import='
  const loader = process.execArgv
    .filter((argument) => argument.startsWith(prefix))
    .map((argument) => prefix + import.meta.resolve(argument.slice(prefix.length)))
  return { script: path.join(host, room, `${name}.ts`), nodeArgs: loader }
}
