/** What happened, the latest first. */
import { byId, el } from './element.js'
import { clock, dateTime } from './format.js'
import { model } from './model.js'
import { eventShape, problemTypes } from './shape.js'

const shownMax = 300
/** @type {(uuid: string) => void} */
let choose = () => {}

/** @param {(uuid: string) => void} onChoose */
export function prepareEvents(onChoose) {
  choose = onChoose
  byId('which-events').addEventListener('input', showEvents)
}

/** Shows all that are kept. */
export function showEvents() {
  const events = model.events.filter(isWanted).slice(-shownMax).reverse()
  byId('event-rows').replaceChildren(...events.map(lineOf))
}

/** Shows one that has just happened. @param {any} event */
export function showEvent(event) {
  if (!isWanted(event)) return
  const list = byId('event-rows')
  list.prepend(lineOf(event))
  if (list.childElementCount > shownMax) list.lastElementChild?.remove()
}

/** @param {any} event */
function isWanted(event) {
  const which = byId('which-events').value
  if (which === 'problems') return problemTypes.has(event.type) || event.facts?.failure === true
  return which === 'all' || event.uuid === model.selected
}

/** @param {any} event */
function lineOf({ at, uuid, type, text }) {
  const time = el('time', { datetime: new Date(at).toISOString(), title: dateTime(at) }, clock(at))
  const kind = el('span', { class: 'kind' }, eventShape(type), el('span', {}, type))
  const app =
    uuid === null
      ? el('span', { class: 'who' }, 'host')
      : el('button', { type: 'button', class: 'who', click: () => choose(uuid) }, uuid)
  return el('li', {}, time, kind, app, el('span', { class: 'text' }, text))
}
