/** The page in a real browser: by keyboard alone, in the dark, on a phone, with a hundred apps. */
import { existsSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { startDashboard } from '../../../ts/host/dashboard/dashboard.js'
import type { AppStatus } from '../../../ts/host/supervisor/status.js'
import { appStatus, type ControlServer, controlServer } from '../support/control-server.js'

const program = '/usr/bin/chromium'
const isThere = existsSync(program)
if (!isThere) console.error(`SKIPPED: no browser at ${program}; the page is not tested in one`)
const inBrowser = isThere ? test : test.skip

const MiB = 1024 * 1024
let shared: Promise<Browser> | undefined

function browser(): Promise<Browser> {
  // Its sandbox needs user namespaces, which a container and root do not have; the page is ours.
  shared ??= chromium.launch({ executablePath: program, args: ['--no-sandbox'] })
  return shared
}
test.after.always(async () => {
  await (await shared)?.close()
})

/** An app that has been measured so often. */
function measured(uuid: string, second: number, facts: Partial<AppStatus> = {}): AppStatus {
  const at = 1_700_000_000_000 + second * 1000
  return appStatus(uuid, {
    limits: { memory: 128 * MiB, softMemory: 108 * MiB, cpu: 50 },
    sample: {
      at,
      memory: (40 + (second % 10)) * MiB,
      rss: 80 * MiB,
      cpu: 5 + (second % 7),
      processes: 1,
      files: 20,
    },
    health: {
      at,
      loopP50: 10,
      loopP99: 12,
      heapUsed: 10 * MiB,
      handles: 5,
      messages: second * 10,
      terminal: null,
    },
    ...facts,
  })
}

/** A page on a host whose apps the test tells. */
async function open(
  t: ExecutionContext,
  apps: (second: number) => AppStatus[],
  options: BrowserContextOptions = {},
) {
  const host = await controlServer(t, apps(0))
  const dashboard = await startDashboard({ root: host.root })
  const context = await (await browser()).newContext(options)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  t.teardown(async () => {
    await context.close()
    await dashboard.stop()
  })
  await page.goto(dashboard.address)
  await page.locator('#app-rows tr').first().waitFor()
  let second = 0
  /** Time passes: the host says how everything is, so often. */
  const pass = (seconds: number) => {
    for (let count = 0; count < seconds; count += 1) {
      second += 1
      host.apps = apps(second)
      host.tell()
    }
  }
  return { host, page, complaints, pass }
}

/** What an element shows of itself, and whether one can see that it has the focus. */
function focused(page: Page) {
  return page.evaluate<{ text: string; id: string; isVisible: boolean }>(`(() => {
    const element = document.activeElement
    const { outlineStyle, outlineWidth } = getComputedStyle(element)
    const isVisible = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2
    return { text: element.textContent?.trim() ?? '', id: element.id, isVisible }
  })()`)
}

async function askedFor(host: ControlServer, name: string): Promise<unknown> {
  for (;;) {
    const found = host.asked.find((it) => it.name === name)
    if (found !== undefined) return found.argument
    await new Promise((resolve) => setImmediate(resolve))
  }
}

inBrowser('by keyboard alone: find an app, drain it, restart it, come back', async (t) => {
  const { host, page, complaints } = await open(
    t,
    (second) => [measured('clock', second), measured('prices', second), measured('till', second)],
    { viewport: { width: 1440, height: 900 } },
  )
  await page.locator('#detail h2', { hasText: 'clock' }).waitFor()
  await page.keyboard.press('Tab')
  t.is((await focused(page)).text, 'Skip to the apps')
  for (const id of ['find', 'which', 'order']) {
    await page.keyboard.press('Tab')
    const { id: found, isVisible } = await focused(page)
    t.is(found, id)
    t.true(isVisible, id)
  }
  await page.keyboard.press('Tab')
  t.is((await focused(page)).text, 'clock')
  await page.keyboard.press('ArrowDown')
  t.is((await focused(page)).text, 'prices')
  await page.keyboard.press('End')
  t.is((await focused(page)).text, 'till')
  await page.keyboard.press('ArrowUp')
  t.deepEqual(await focused(page), { text: 'prices', id: '', isVisible: true })
  await page.keyboard.press('Enter')
  t.is((await focused(page)).id, 'detail-title')
  t.is(await page.locator('#detail-title').textContent(), 'prices')

  // The first button is Drain; the dialog stands on Cancel, and Escape leaves everything as it is.
  await page.keyboard.press('Tab')
  t.is((await focused(page)).text, 'Drain')
  await page.keyboard.press('Enter')
  t.is(await page.locator('#dialog-title').textContent(), 'Drain prices?')
  t.is((await focused(page)).text, 'Cancel')
  await page.keyboard.press('Escape')
  t.is((await focused(page)).text, 'Drain')
  t.false(host.asked.some(({ name }) => name === 'drain'))
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  t.is((await focused(page)).text, 'Drain prices')
  await page.keyboard.press('Enter')
  t.deepEqual(await askedFor(host, 'drain'), { uuid: 'prices' })
  await page.locator('.result', { hasText: 'Drain prices: done, reason stopped.' }).waitFor()

  await page.keyboard.press('Tab')
  t.is((await focused(page)).text, 'Restart')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  t.deepEqual(await askedFor(host, 'restart'), { uuid: 'prices' })
  await page.keyboard.press('Escape')
  t.is((await focused(page)).text, 'prices')
  t.deepEqual(complaints, [])
})

inBrowser('the charts move, and what changes its state is said aloud', async (t) => {
  const state: { now: AppStatus['state'] } = { now: 'ready' }
  const { page, pass, complaints } = await open(
    t,
    (second) => [
      measured('clock', second, {
        state: state.now,
        why: state.now === 'ready' ? '' : 'no prices',
      }),
    ],
    { viewport: { width: 1440, height: 900 } },
  )
  await page.locator('.charts canvas').nth(3).waitFor()
  const picture = () =>
    page.evaluate<string>(`document.querySelector('.charts canvas').toDataURL()`)
  pass(5)
  await page
    .locator('.chart-value', { hasText: '45.0 MiB · most 45.0 MiB · limit 128 MiB' })
    .waitFor()
  const before = await picture()
  pass(4)
  await page.locator('.chart-value', { hasText: '49.0 MiB · most 49.0 MiB' }).waitFor()
  t.not(await picture(), before)
  t.regex(
    (await page.locator('.plot').first().getAttribute('aria-label')) ?? '',
    /^Memory over ten/,
  )
  const spark = await page.evaluate<boolean>(`(() => {
    const canvas = document.querySelector('canvas.spark')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    return data.some((value) => value !== 0)
  })()`)
  t.true(spark)
  state.now = 'degraded'
  pass(1)
  await page
    .locator('#announcer', { hasText: 'clock is degraded: no prices' })
    .waitFor({ state: 'attached' })
  t.is(await page.locator('#app-rows .state').textContent(), 'degraded')
  t.is(await page.locator('#app-rows .why').textContent(), 'no prices')
  t.deepEqual(complaints, [])
})

inBrowser('in the dark it is dark, and the charts with it', async (t) => {
  const { page, pass, complaints } = await open(t, (second) => [measured('clock', second)], {
    viewport: { width: 1440, height: 900 },
    colorScheme: 'dark',
  })
  await page.locator('.charts canvas').first().waitFor()
  pass(3)
  const light = () =>
    page.evaluate<number[]>(
      `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)`,
    )
  t.true(((await light())?.[0] ?? 255) < 40)
  await page.emulateMedia({ colorScheme: 'light' })
  t.true(((await light())?.[0] ?? 0) > 200)
  t.deepEqual(complaints, [])
})

inBrowser(
  'on a phone nothing is wider than the phone, and an app takes the place of the list',
  async (t) => {
    const { page, complaints } = await open(
      t,
      (second) => [
        measured('clock', second),
        measured('an-app-with-a-name-of-the-greatest-length-1234', second, {
          state: 'quarantined',
          why: 'it failed 5 times within a minute, the last time for want of memory',
        }),
        measured('till', second, { kind: 'terminal' }),
      ],
      { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
    )
    const overflow = () =>
      page.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      )
    t.is(await overflow(), 0)
    await page.locator('#app-rows .name', { hasText: 'clock' }).tap()
    await page.locator('#detail-title', { hasText: 'clock' }).waitFor()
    t.false(await page.locator('.apps').isVisible())
    t.is(await overflow(), 0)
    for (const button of await page.locator('#detail .actions button:visible').all()) {
      t.true(((await button.boundingBox())?.height ?? 0) >= 40)
    }
    await page.locator('.back').tap()
    t.true(await page.locator('.apps').isVisible())
    t.false(await page.locator('#detail').isVisible())
    t.deepEqual(complaints, [])
  },
)

inBrowser('a hundred apps: a status touches only what changed', async (t) => {
  const { page, pass, complaints } = await open(
    t,
    (second) => Array.from({ length: 100 }, (_, index) => measured(`app-${index}`, second)),
    { viewport: { width: 1440, height: 900 } },
  )
  await page.locator('#app-rows tr').nth(99).waitFor({ state: 'attached' })
  await page.evaluate(`(() => {
    window.added = 0
    new MutationObserver((records) => {
      for (const { addedNodes } of records) {
        for (const node of addedNodes) if (node instanceof Element) window.added += 1
      }
    }).observe(document.querySelector('#app-rows'), { childList: true, subtree: true })
  })()`)
  pass(10)
  await page.locator('#app-rows .amount', { hasText: '40 / 128 MiB' }).first().waitFor()
  t.is(await page.evaluate<number>('window.added'), 0)
  await page.locator('#find').fill('app-42')
  t.is(await page.locator('#app-rows tr').count(), 1)
  t.deepEqual(complaints, [])
})

inBrowser('without a key the page says what to do, and shows nothing', async (t) => {
  const host = await controlServer(t, [measured('clock', 0)])
  const dashboard = await startDashboard({ root: host.root })
  t.teardown(() => dashboard.stop())
  const page = await (await browser()).newPage()
  t.teardown(() => page.close())
  await page.goto(dashboard.url)
  await page.locator('#banner', { hasText: 'no key' }).waitFor()
  t.is(await page.locator('#app-rows tr').count(), 0)
  await page.goto(`${dashboard.url}#key=${'0'.repeat(64)}`)
  await page.locator('#banner', { hasText: 'no key' }).waitFor()
  await page.goto(dashboard.address)
  await page.locator('#app-rows tr').first().waitFor()
  // The key is not left where somebody could read it.
  t.is(page.url(), dashboard.url)
})

inBrowser('when the supervisor dies the page says so, and goes on with the next one', async (t) => {
  const { host, page } = await open(t, (second) => [measured('clock', second)])
  await page.locator('#link[data-state=live]').waitFor()
  await host.stop()
  await page.locator('#banner', { hasText: 'No supervisor answers' }).waitFor()
  t.is(await page.locator('#app-rows tr').count(), 1)
})
