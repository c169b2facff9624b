/** The example of the guide, as a shop would run it: two Node programs and a page of one host. */
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import test from 'ava'
import { HostPlace } from '../../../ts/host/place.js'
import { until } from '../../support/bus.js'
import { projectRoot } from '../../support/child.js'
import { noChromium } from '../../support/pages.js'
import { hostRoot } from '../support/supervised.js'

const folder = path.join(projectRoot, 'examples/host/fdc3')
const reason = process.platform === 'linux' ? noChromium : process.platform
if (reason !== undefined) console.error(`SKIPPED: the example of FDC3: ${reason}`)

;(reason === undefined ? test.serial : test.serial.skip)(
  'a till, a loyalty program and a customer display exchange contexts and intents',
  async (t) => {
    t.timeout(180_000)
    const root = hostRoot(t)
    chmodSync(root, 0o711)
    const { startHost } = (await import(
      path.join(projectRoot, 'dist/host/index.js')
    )) as typeof import('../../../ts/host/index.js')
    const text = readFileSync(path.join(folder, 'host.json'), 'utf8')
    const manifest = JSON.parse(text.replaceAll('8615', String(await freePort())))
    const host = await startHost({ root, manifest, manifestFolder: folder })
    t.teardown(() => host.close())
    const log = (uuid: string) => {
      const file = new HostPlace(root).app(uuid, 'log', 'out.log')
      return existsSync(file) ? readFileSync(file, 'utf8') : ''
    }
    const page = async (expression: string) =>
      (await host.ask('evaluate', { uuid: 'display', expression })).value
    const press = async (button: string, answer: RegExp) => {
      await page(`document.getElementById('${button}').click()`)
      const said = () => page("document.getElementById('said').textContent")
      await until(`the answer to ${button}`, async () => answer.test(String(await said())))
    }

    await until('contexts from the till to the page and back', () =>
      /the display shows basket \d+: \d+\.\d\d EUR/.test(log('till')),
    )
    await until('an intent of the till with a result, and one with none', () =>
      [/is paid: .*, member 100\d/, /is paid: .*, no member/].every((line) =>
        line.test(log('till')),
      ),
    )
    await until('an app channel', async () =>
      /today/.test(String(await page("document.getElementById('offer').textContent"))),
    )
    await press('points', /^member 1001 has \d+ points\.$/)
    await press('receipt', /^The receipt comes from: loyalty\.$/)
    await until('the intent', () => /receipt of basket \d+ is sent/.test(log('loyalty')))
    for (const { uuid, restarts } of host.status().apps) t.is(restarts, 0, uuid)
  },
)

async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
