/**
 * The program of a warm spare: a process that has the runtime loaded and waits to be told which instance it is. What an app
 * has to wait for at its start, Node, this package and for a terminal the kernel, is behind it then.
 *
 * The folder of the run stays the spare's own, since its launcher keeps its files there.
 */
import { pathToFileURL } from 'node:url'
import { connectHost } from './connect.js'

const host = await connectHost()
host.onBecome((script) => {
  // What the script throws at its top is an error that nobody caught.
  void import(pathToFileURL(script).href)
})
await import('../bus/client.js')
if (host.register !== undefined) await import('../../kernel/terminal.js')
