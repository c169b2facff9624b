/**
 * Intents that more than one app could handle: a person says which. The agent is asked each second for what is open, and
 * only while somebody is here: the page is seen, and was touched within five minutes. Otherwise the host decides by
 * itself, since an app would wait a minute for nobody.
 */
import { announce } from './announcer.js'
import { byId, el, setText } from './element.js'
import { appOf, now } from './model.js'
import { ask } from './session.js'

const everyMs = 1000
const attendedMs = 300_000
const agentUuid = 'host-agent'

/**
 * @typedef {object} Candidate
 * @property {string} appId
 * @property {string} [instanceId]
 * @property {string} [title]
 */
/**
 * @typedef {object} Question
 * @property {string} id
 * @property {number} endsAt
 * @property {Candidate} from
 * @property {{ type: string, name?: string, id?: Record<string, string> }} context
 * @property {{ intent: { name: string, displayName: string }, apps: Candidate[] }[]} options
 */
/** @typedef {{ element: HTMLElement, tick: () => void }} Card */

/** @type {Map<string, Card>} */
const cards = new Map()
let touchedAt = Date.now()

/** Asks from now on. */
export function prepareQuestions() {
  const touched = () => {
    touchedAt = Date.now()
  }
  for (const name of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'focus']) {
    addEventListener(name, touched, { passive: true })
  }
  document.addEventListener('visibilitychange', touched)
  void poll()
}

async function poll() {
  for (;;) {
    if (isSomebodyHere()) {
      try {
        show(await ask('/api/questions'))
      } catch {
        // Nobody answers now: what is shown stays until its time is over.
        for (const { tick } of cards.values()) tick()
      }
    } else {
      show([])
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

function isSomebodyHere() {
  const isSeen = document.visibilityState === 'visible'
  return isSeen && Date.now() - touchedAt < attendedMs && appOf(agentUuid) !== undefined
}

/** @param {Question[]} questions */
function show(questions) {
  const open = new Set(questions.map(({ id }) => id))
  for (const id of [...cards.keys()]) if (!open.has(id)) remove(id)
  for (const question of questions) {
    let card = cards.get(question.id)
    if (card === undefined) {
      card = cardOf(question)
      cards.set(question.id, card)
      byId('question-rows').append(card.element)
      announce(`${nameOf(question.from)} asks which app shall do ${titleOf(question)}`)
    }
    card.tick()
  }
  byId('questions').hidden = cards.size === 0
}

/** It is answered or its time is over. A focus in it goes to the next one, or to the apps. @param {string} id */
function remove(id) {
  const card = cards.get(id)
  if (card === undefined) return
  const hadFocus = card.element.contains(document.activeElement)
  card.element.remove()
  cards.delete(id)
  byId('questions').hidden = cards.size === 0
  if (!hadFocus) return
  const next = byId('question-rows').querySelector('button') ?? byId('apps')
  next.focus({ preventScroll: true })
}

/** @param {Question} question @returns {Card} */
function cardOf(question) {
  const { id, options, endsAt } = question
  const left = el('span', { class: 'left' })
  const result = el('p', { class: 'result', role: 'status' })
  const title = el('h3', { id: `question-${id}` }, `${titleOf(question)}: which app?`)
  const refuse = el(
    'button',
    {
      type: 'button',
      class: 'danger',
      click: () => void answer(question, undefined, undefined, result),
    },
    'Refuse',
  )
  const groups = options.map(({ intent, apps }, index) => {
    const buttons = apps
      .filter((app) => isOwnOption(app, apps))
      .map((app) => {
        const { appId, instanceId } = app
        const choice = { intent: intent.name, app: instanceId ? { appId, instanceId } : { appId } }
        const name = app.title ?? appId
        return el(
          'button',
          {
            type: 'button',
            class: 'choice',
            click: () => void answer(question, name, choice, result),
          },
          el('span', { class: 'choice-name' }, name),
          el('span', { class: 'choice-note' }, instanceId ?? `${appId}, is started`),
        )
      })
    const head = options.length > 1 ? [el('p', { class: 'choice-intent' }, intent.displayName)] : []
    if (index === options.length - 1) buttons.push(refuse)
    return el('div', {}, ...head, el('div', { class: 'actions' }, ...buttons))
  })
  const element = el(
    'li',
    { role: 'group', 'aria-labelledby': `question-${id}` },
    el('div', { class: 'question-head' }, title, left),
    el('p', {}, `${nameOf(question.from)} asks, with ${contextOf(question)}.`),
    ...groups,
    result,
  )
  return {
    element,
    tick() {
      setText(left, `${Math.max(0, Math.ceil((endsAt - now()) / 1000))} s left`)
    },
  }
}

/**
 * @param {Question} question
 * @param {string | undefined} name - whose it becomes; refused where there is none
 * @param {object | undefined} choice
 * @param {HTMLElement} result
 */
async function answer(question, name, choice, result) {
  const { id } = question
  try {
    const body = choice === undefined ? { confirm: id } : { confirm: id, choice }
    const { taken } = await ask(`/api/questions/${encodeURIComponent(id)}`, body)
    const outcome = name === undefined ? 'is refused' : `goes to ${name}`
    announce(`${titleOf(question)} ${taken ? outcome : 'was decided before'}`)
    remove(id)
  } catch (error) {
    result.className = 'result tone-bad'
    result.textContent = `Not answered. ${error instanceof Error ? error.message : error}`
  }
}

/** An app that runs is there as its instance; that it could be started too says nothing more. @param {Candidate} app @param {Candidate[]} apps */
function isOwnOption(app, apps) {
  return (
    app.instanceId !== undefined ||
    !apps.some(({ appId, instanceId }) => instanceId !== undefined && appId === app.appId)
  )
}

/** @param {Question} question */
function titleOf({ options }) {
  return options.map(({ intent }) => intent.displayName).join(' or ')
}

/** @param {Candidate} who */
function nameOf({ appId, instanceId }) {
  const uuid = instanceId?.slice(0, instanceId.lastIndexOf('.')) ?? appId
  return appOf(uuid)?.name ?? appId
}

/** @param {Question} question */
function contextOf({ context: { type, name, id } }) {
  const ids = Object.entries(id ?? {}).map(([key, value]) => `${key} ${value}`)
  return [type, name, ...ids].filter((text) => text !== undefined).join(', ')
}
