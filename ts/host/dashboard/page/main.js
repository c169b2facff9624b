/**
 * The page of a store's host. Everything it shows comes over one stream; everything it does is a request with
 * the key. `model.js` is what it knows, `apps.js`, `detail.js`, `terminals.js`, `events.js` and `summary.js` show it;
 * `questions.js` asks what a person has to decide.
 */
import { announce } from './announcer.js'
import { focusApp, prepareApps, showApps } from './apps.js'
import { openDetail, repaintDetail, showDetail } from './detail.js'
import { byId, setText } from './element.js'
import { prepareEvents, showEvent, showEvents } from './events.js'
import { model, needsALook, takeEvent, takeHello, takeStatus } from './model.js'
import { prepareQuestions } from './questions.js'
import { hasKey, takeKey } from './session.js'
import { lookOf } from './shape.js'
import { listen } from './stream.js'
import { showSummary } from './summary.js'
import { prepareTerminals, showTerminals } from './terminals.js'

/** On a wide screen an app is shown from the start: there is room for it. */
const isWide = matchMedia('(min-width: 1100px)')
/** @type {Map<string, string>} */
const states = new Map()

prepareApps(choose)
prepareTerminals(choose)
prepareEvents(choose)
prepareQuestions()
byId('detail').addEventListener('leave', leave)
byId('detail').addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
  if (event.key === 'Escape') leave()
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  showApps()
  repaintDetail()
})
takeKey()
addEventListener('hashchange', () => {
  takeKey()
  location.reload()
})
if (hasKey()) void listen(hear, connection)
else connection('refused')

/** @param {string} name @param {any} value */
function hear(name, value) {
  if (name === 'hello') {
    takeHello(value)
    setText(byId('store'), value.folder)
    document.title = `${value.store} – pos-kernel host`
    link(value.link)
    showEvents()
  } else if (name === 'status') {
    takeStatus(value)
    tellStates(value.apps)
    if (model.selected === null && isWide.matches) select(firstOf(value.apps))
    showAll()
  } else if (name === 'event') {
    if (takeEvent(value)) showEvent(value)
  } else if (name === 'link') {
    link(value)
  }
}

function showAll() {
  showSummary()
  showApps()
  showTerminals()
  showDetail()
}

/** Opens an app and goes there. @param {string} uuid */
function choose(uuid) {
  select(uuid)
  showApps()
  byId('detail-title')?.focus({ preventScroll: isWide.matches })
}

/** @param {string | null} uuid */
function select(uuid) {
  model.selected = uuid
  openDetail(uuid)
  if (byId('which-events').value === 'app') showEvents()
}

/** Back to the list, to where one came from. */
function leave() {
  const { selected } = model
  if (!isWide.matches) select(null)
  showApps()
  if (selected !== null) focusApp(selected)
}

/** @param {any[]} apps */
function firstOf(apps) {
  return (apps.find(needsALook) ?? apps[0])?.uuid ?? null
}

/** Says aloud what changed its state. @param {any[]} apps */
function tellStates(apps) {
  for (const { uuid, state, why } of apps) {
    const before = states.get(uuid)
    states.set(uuid, state)
    if (before === undefined || before === state) continue
    announce(`${uuid} is ${lookOf(state).word}${why === '' ? '' : `: ${why}`}`)
  }
}

/** @param {'open' | 'lost' | 'refused'} state */
function connection(state) {
  if (state === 'refused') {
    banner('This page has no key. Open the address that the host printed when it started.')
    showLink('lost', 'no key')
  } else if (state === 'lost') {
    banner('The dashboard does not answer. What you see is what was last heard; it is asked again.')
    showLink('lost', 'not connected')
  } else {
    banner('')
  }
}

/** @param {{ state: string, why: string }} link */
function link({ state, why }) {
  if (state === 'live') {
    banner('')
    showLink('live', 'live')
    return
  }
  banner(`No supervisor answers; apps that run go on without it. ${why}`)
  showLink('lost', 'no supervisor')
}

/** @param {string} state @param {string} word */
function showLink(state, word) {
  const place = byId('link')
  if (place.dataset.state !== state) announce(`The connection is ${word}`)
  place.dataset.state = state
  setText(place, word)
  document.body.classList.toggle('stale', state !== 'live')
}

/** @param {string} text */
function banner(text) {
  const place = byId('banner')
  place.hidden = text === ''
  setText(place, text)
}
