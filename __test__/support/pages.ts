/** Pages of tests: a server of another origin than the gateway's, and Chromium. */
import { existsSync } from 'node:fs'
import http from 'node:http'
import type net from 'node:net'
import path from 'node:path'
import { build } from 'esbuild'
import { type Browser, chromium, type Frame, type Page } from 'playwright-core'
import { until } from './bus.js'
import { projectRoot } from './child.js'
import type { Act, Actor } from './fdc3.js'

/** Debian's Chromium; without it the tests of pages are skipped. */
export const chromiumPath = process.env.POS_KERNEL_CHROMIUM ?? '/usr/bin/chromium'
/** Why tests of pages cannot run here; undefined when they can. */
export const noChromium = existsSync(chromiumPath) ? undefined : `${chromiumPath} is not there`

/** A server of pages, and a browser. */
export class PageRig {
  readonly browser: Browser
  readonly #server: http.Server
  readonly #pages: Page[] = []

  private constructor(browser: Browser, server: http.Server) {
    this.browser = browser
    this.#server = server
  }

  static async start(): Promise<PageRig> {
    const server = await servePages()
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    const browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args })
    return new PageRig(browser, server)
  }

  /** The origin of the pages. */
  get origin(): string {
    return originOf(this.#server)
  }

  /** Opens the shell of a run. */
  async open(port: number, instance: string, token: string): Promise<PageActor> {
    const page = await this.browser.newPage()
    this.#pages.push(page)
    await page.goto(`http://127.0.0.1:${port}/app/${instance}#${token}`)
    return new PageActor(instance, page, this.origin)
  }

  async close(): Promise<void> {
    await this.browser.close()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Serves `page.mjs` on every path. */
export async function servePages(): Promise<http.Server> {
  const { outputFiles } = await build({
    entryPoints: [path.join(projectRoot, '__test__/host/agent/programs/page.mjs')],
    bundle: true,
    format: 'iife',
    write: false,
    logLevel: 'error',
  })
  const script = outputFiles[0]?.text ?? ''
  const server = http.createServer((request, response) => {
    const isScript = request.url === '/page.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(
      isScript ? script : '<!doctype html><title>page</title><script src="/page.js"></script>',
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** The origin of a server of pages; by the name of the loopback where its pages are to be of another site. */
export function originOf(server: http.Server, name = '127.0.0.1'): string {
  return `http://${name}:${(server.address() as net.AddressInfo).port}`
}

/** A page that does what a test says. */
export class PageActor implements Actor {
  readonly instance: string
  readonly page: Page
  readonly #origin: string

  constructor(instance: string, page: Page, origin: string) {
    this.instance = instance
    this.page = page
    this.#origin = origin
  }

  /** The app's frame in the shell. */
  get frame(): Frame {
    const frame = this.page.frames().find((found) => found.url().startsWith(this.#origin))
    if (frame === undefined)
      throw new Error(`the shell of ${this.instance} shows no page of ${this.#origin}`)
    return frame
  }

  /** Waits until the page has its agent, or was refused it. */
  async connected(): Promise<string> {
    let found = ''
    await until(`${this.instance} has an agent`, async () => {
      found = await this.frame
        .evaluate(() => {
          const { agent, refused } = globalThis as { agent?: unknown; refused?: string }
          return refused ?? (agent === undefined ? '' : 'connected')
        })
        .catch(() => '')
      return found !== ''
    })
    return found
  }

  run<Result, Args extends unknown[]>(act: Act<Result, Args>, ...args: Args): Promise<Result> {
    const call = { code: act.toString(), args: args as unknown[] }
    return this.frame.evaluate(({ code, args: given }) => {
      const { agent, box } = globalThis as { agent?: unknown; box?: unknown }
      return new Function(`return ${code}`)()(agent, box, ...given)
    }, call) as Promise<Result>
  }
}
