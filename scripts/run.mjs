/**
 * Starts the child processes of the other scripts: cargo, npm, and the tools of node_modules.
 *
 * Nothing here knows what is being built or tested. Only Node builtins may be imported, because
 * `setup.mjs` runs before anything is installed. A tool of node_modules is started as
 * `node <its entry file>`, never through `npx` or a shell: arguments then mean the same on every
 * platform, and a tool that is not installed is an error instead of a download.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository, or of the installed package. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

/**
 * Runs a command to its end.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, capture?: boolean, onLine?: (line: string) => void}} [options]
 *   `capture`: keep the output instead of showing it. `onLine`: show stdout and hand over each line.
 * @returns {Promise<{code: number, output: string, stdout: string}>} `output` is what was
 *   captured of stdout and stderr together. Code 127: the command could not be started.
 */
export function run(command, args, options = {}) {
  const { cwd = root, env = process.env, capture = false, onLine } = options
  const stdio = capture
    ? ['ignore', 'pipe', 'pipe']
    : ['inherit', onLine ? 'pipe' : 'inherit', 'inherit']
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio })
    let output = ''
    let stdout = ''
    let rest = ''
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      if (capture) {
        output += text
        stdout += text
      } else {
        process.stdout.write(text)
      }
      if (!onLine) return
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      lines.forEach(onLine)
    })
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      output += text
    })
    // An interrupt from the keyboard reaches the child by itself: wait for its orderly end, then go
    // too. A termination is sent to this process alone and has to be handed on.
    let interrupted = false
    const onInterrupt = () => {
      interrupted = true
    }
    const onTerminate = () => {
      interrupted = true
      child.kill('SIGTERM')
    }
    process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate)
    const settle = (result) => {
      process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate)
      if (interrupted) process.exit(result.code)
      resolve(result)
    }
    child.on('error', (error) => settle({ code: 127, output: error.message, stdout }))
    child.on('close', (code) => {
      if (rest !== '') onLine?.(rest)
      settle({ code: code ?? 130, output, stdout })
    })
  })
}

/** Runs npm: the one that started us when there is one, so that its version stays the user's choice. */
export function npm(args, options) {
  const entry = process.env.npm_execpath
  if (entry?.endsWith('.js')) return run(process.execPath, [entry, ...args], options)
  // On Windows npm is a batch file, which only a shell can start.
  if (process.platform === 'win32') {
    return run('cmd.exe', ['/d', '/s', '/c', 'npm', ...args], options)
  }
  return run('npm', args, options)
}

/** Runs the command `name` of an installed package. */
export function tool(packageName, name, args, options) {
  const folder = path.join(root, 'node_modules', packageName)
  const manifest = path.join(folder, 'package.json')
  if (!existsSync(manifest)) {
    return Promise.resolve({
      code: 127,
      stdout: '',
      output: `${packageName} is not installed; run "npm run setup"`,
    })
  }
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  const entry = typeof bin === 'string' ? bin : bin[name]
  return run(process.execPath, [path.join(folder, entry), ...args], options)
}

/** True when the module at `url` is the script that Node was asked to run. */
export function isMain(url) {
  return process.argv[1] !== undefined && fileURLToPath(url) === path.resolve(process.argv[1])
}
