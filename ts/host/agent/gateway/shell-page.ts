/** The files of the shell: two modules, as they were built. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Paths of the modules that a shell loads. */
export const shellModules: ReadonlySet<string> = new Set([
  '/modules/host/agent/gateway/shell.js',
  '/modules/host/fdc3/session.js',
])

/** The file of a module. */
export function moduleFile(pathname: string): string {
  const name = pathname.replace('/modules/host/', '')
  const built = fileURLToPath(new URL(`../../${name}`, import.meta.url))
  // From sources there is no JavaScript beside this file: a browser is given what was built.
  return existsSync(built)
    ? built
    : fileURLToPath(new URL(`../../../../dist/host/${name}`, import.meta.url))
}

/** A text for an attribute or an element of HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
