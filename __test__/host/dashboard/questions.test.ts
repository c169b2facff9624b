/**
 * An intent that more than one app could handle is decided in the dashboard, by keyboard, and by the command line: a real
 * host, its desktop agent, Node apps, and the page in a real browser.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { OpenQuestion } from '../../../ts/host/agent/questions.js'
import { startDashboard } from '../../../ts/host/dashboard/dashboard.js'
import { HostPlace } from '../../../ts/host/place.js'
import { until } from '../../support/bus.js'
import { jsonLines, posKernel, projectRoot } from '../../support/child.js'
import { listensFor } from '../../support/fdc3.js'
import { chromiumPath, noChromium } from '../../support/pages.js'
import { appStatus, controlServer } from '../support/control-server.js'
import { hostRoot, inState } from '../support/supervised.js'

const inBrowser = noChromium === undefined ? test.serial : test.serial.skip
if (noChromium !== undefined) console.error(`SKIPPED: questions in the dashboard: ${noChromium}`)
const underHost = process.platform === 'linux' ? test.serial : test.serial.skip
if (process.platform !== 'linux') console.error(`SKIPPED: questions of a host: ${process.platform}`)

let shared: Promise<Browser> | undefined
test.after.always(async () => (await shared)?.close())

async function pageOf(t: ExecutionContext, root: string, options: BrowserContextOptions = {}) {
  shared ??= chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] })
  const dashboard = await startDashboard({ root })
  const context = await (await shared).newContext({
    viewport: { width: 1440, height: 900 },
    ...options,
  })
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
  return { page, complaints }
}

/** Goes with Tab to a button of the questions, and presses it with Enter. */
async function press(page: Page, button: string): Promise<void> {
  for (let steps = 0; steps < 40; steps += 1) {
    await page.keyboard.press('Tab')
    const found = await page.evaluate<string>(
      `document.querySelector('#questions').contains(document.activeElement) ? document.activeElement.textContent : ''`,
    )
    if (found.startsWith(button)) {
      await page.keyboard.press('Enter')
      return
    }
  }
  throw new Error(`no key leads to ${button}`)
}

/** A till whose orders the kitchen and the bar could take. */
async function orders(t: ExecutionContext) {
  const root = hostRoot(t)
  const { startHost } = (await import(
    path.join(projectRoot, 'dist/host/index.js')
  )) as typeof import('../../../ts/host/index.js')
  const app = (uuid: string, name: string, role: string, fdc3: object) => ({
    startup_app: {
      uuid,
      name,
      script: path.join(projectRoot, '__test__/host/agent/programs/orders.mjs'),
      args: [role],
    },
    fdc3: { ...fdc3 },
    permissions: { read: [projectRoot], store: true },
  })
  const takes = (title: string) => ({
    title,
    ...listensFor({ ShowOrder: [['till.order'], 'till.receipt'] }),
  })
  const host = await startHost({
    root,
    manifest: {
      apps: [
        app('kitchen', 'Kitchen', 'cook', takes('Kitchen screen')),
        app('bar', 'Bar', 'cook', takes('Bar screen')),
        { ...app('till', 'Till by the door', 'till', {}), dependsOn: ['kitchen', 'bar'] },
      ],
    },
  })
  t.teardown(() => host.close())
  await inState(host, 'till', 'ready')
  const file = new HostPlace(root).app('till', 'data', 'outcomes')
  const outcomes = () => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [])
  return { root, host, outcomes }
}

inBrowser('an ambiguous intent goes where a person says, by keyboard alone', async (t) => {
  t.timeout(180_000)
  const { root, outcomes } = await orders(t)
  await until('an order is decided while nobody looks', () => outcomes().includes('kitchen'))
  t.false(outcomes().includes('bar'))
  const { page, complaints } = await pageOf(t, root)

  const card = page.locator('#question-rows li')
  await card.first().waitFor()
  t.is(await card.locator('h3').textContent(), 'ShowOrder: which app?')
  t.regex(
    (await card.locator('p').first().textContent()) ?? '',
    /^Till by the door asks, with till\.order, Table 4, number \d+\.$/,
  )
  t.deepEqual(await card.locator('button').allTextContents(), [
    'Kitchen screenkitchen.1',
    'Bar screenbar.1',
    'Refuse',
  ])
  await page
    .locator('#announcer', { hasText: 'Till by the door asks which app shall do ShowOrder' })
    .waitFor({ state: 'attached' })
  await press(page, 'Bar screen')
  await until('the bar has it', () => outcomes().at(-1) === 'bar')

  // The next order asks the next question.
  await card.first().waitFor()
  await press(page, 'Refuse')
  await until('the till is told so', () => outcomes().at(-1) === 'UserCancelledResolution')
  t.is(outcomes().filter((outcome) => outcome === 'bar').length, 1)
  t.deepEqual(complaints, [])
})

underHost('the command line tells and answers the same questions', async (t) => {
  t.timeout(180_000)
  const { root, outcomes } = await orders(t)
  const ask = async (...args: readonly string[]) => {
    const { code, stdout } = await posKernel(['host', ...args, '--root', root, '--json'])
    return { code, answers: jsonLines(stdout) as Record<string, unknown>[] }
  }
  const question = async () => {
    let found: OpenQuestion | undefined
    await until('a question', async () => {
      found = (await ask('questions')).answers[0] as OpenQuestion | undefined
      return found !== undefined
    })
    return found as OpenQuestion
  }
  const first = await question()
  t.like(first, { from: { appId: 'till' }, context: { type: 'till.order', name: 'Table 4' } })
  const { stdout } = await posKernel(['host', 'questions', '--root', root])
  t.regex(stdout, /till\.1 with till\.order, \d+ s left\n.*kitchen\.1 +Kitchen screen \(runs\)/)
  t.like(await ask('answer', first.id, 'nobody'), { code: 2, answers: [{ code: 'HOST_ARGUMENT' }] })
  t.like(await ask('answer', first.id), { code: 2 })
  t.like(await ask('answer', 'zzz', 'bar'), { code: 2, answers: [{ code: 'HOST_ARGUMENT' }] })
  const answered = await ask('answer', first.id.slice(0, 13), 'bar')
  t.like(answered, { code: 0, answers: [{ ok: true, choice: { app: { instanceId: 'bar.1' } } }] })
  await until('the bar has it', () => outcomes().includes('bar'))
  const second = await question()
  t.is((await ask('answer', second.id, '--refuse')).code, 0)
  await until('the till is told so', () => outcomes().includes('UserCancelledResolution'))
})

/** A question of a host that the test makes up. */
function questionOf(id: string, facts: Partial<OpenQuestion> = {}): OpenQuestion {
  return {
    id,
    askedAt: Date.now(),
    endsAt: Date.now() + 60_000,
    from: { appId: 'till', instanceId: 'till.1' },
    context: { type: 'till.order' },
    options: [
      {
        intent: { name: 'ShowOrder', displayName: 'Show an order' },
        apps: [
          { appId: 'kitchen', instanceId: 'kitchen.1', title: 'Kitchen screen' },
          { appId: 'kitchen', title: 'Kitchen screen' },
          { appId: 'bar', title: '<b>Bar</b>' },
        ],
      },
    ],
    ...facts,
  }
}

inBrowser('a question goes when it is over, and the keyboard with it to the next', async (t) => {
  const host = await controlServer(t, [appStatus('host-agent'), appStatus('till')])
  host.questions = [questionOf('one'), questionOf('two')]
  const { page, complaints } = await pageOf(t, host.root)
  const cards = page.locator('#question-rows li')
  await cards.nth(1).waitFor()
  t.deepEqual(await cards.first().locator('button').allTextContents(), [
    'Kitchen screenkitchen.1',
    '<b>Bar</b>bar, is started',
    'Refuse',
  ])
  await cards.first().locator('button').nth(1).focus()
  host.questions = host.questions.slice(1)
  await until('one is over', async () => (await cards.count()) === 1)
  const focused = () =>
    page.evaluate<string>(`document.activeElement.closest('li')?.getAttribute('aria-labelledby')`)
  t.is(await focused(), 'question-two')
  host.questions = []
  await page.locator('#questions').waitFor({ state: 'hidden' })
  t.is(await page.evaluate<string>('document.activeElement.id'), 'apps')
  t.deepEqual(complaints, [])
})

inBrowser('a host without a desktop agent is asked nothing', async (t) => {
  const host = await controlServer(t, [appStatus('till')])
  const { page } = await pageOf(t, host.root)
  const isAsked = () => host.asked.some(({ name }) => name === 'questions')
  t.false(await page.locator('#questions').isVisible())
  t.false(isAsked())
  // As soon as there is one, it is.
  host.apps = [appStatus('host-agent'), appStatus('till')]
  host.tell()
  await until('the agent is asked', isAsked)
})

for (const colorScheme of ['light', 'dark'] as const) {
  inBrowser(`on a phone every answer can be touched, ${colorScheme}`, async (t) => {
    const host = await controlServer(t, [appStatus('host-agent'), appStatus('till')])
    const long = 'a-name-of-the-greatest-length-'.repeat(4)
    const [option] = questionOf('x').options
    host.questions = [
      questionOf('one', {
        context: { type: long, name: long },
        options: [
          { ...option, intent: { name: long, displayName: long } } as OpenQuestion['options'][0],
          option as OpenQuestion['options'][0],
        ],
      }),
    ]
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }
    const { page, complaints } = await pageOf(t, host.root, { ...phone, colorScheme })
    await page.locator('#question-rows li').first().waitFor()
    const overflow = await page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    )
    t.is(overflow, 0)
    for (const button of await page.locator('#questions button').all()) {
      t.true(((await button.boundingBox())?.height ?? 0) >= 40)
    }
    await page.locator('#questions button.choice').last().tap()
    await page.locator('#questions').waitFor({ state: 'hidden' })
    t.deepEqual(host.asked.find(({ name }) => name === 'answer')?.argument, {
      id: 'one',
      choice: { intent: 'ShowOrder', app: { appId: 'bar' } },
    })
    t.deepEqual(complaints, [])
  })
}
