/** The states of an app. Each has a shape, a word and a tone: colour never says anything by itself. */

const svg = 'http://www.w3.org/2000/svg'

/**
 * @typedef {object} Look
 * @property {string} word
 * @property {'ok' | 'busy' | 'warn' | 'bad' | 'off'} tone
 * @property {number} rank - what needs a look comes first
 * @property {string} path
 * @property {boolean} [outline]
 */

/** @type {Readonly<Record<string, Look>>} */
export const looks = {
  quarantined: {
    word: 'quarantined',
    tone: 'bad',
    rank: 0,
    path: 'M3.9 1h4.2L11 3.9v4.2L8.1 11H3.9L1 8.1V3.9zM3.6 5.1v1.8h4.8V5.1z',
  },
  backoff: { word: 'back-off', tone: 'warn', rank: 1, path: 'M1.5 1h9L6.9 6l3.6 5h-9l3.6-5z' },
  degraded: { word: 'degraded', tone: 'warn', rank: 2, path: 'M6 .8 11.6 11H.4z' },
  stopping: {
    word: 'stopping',
    tone: 'busy',
    rank: 3,
    path: 'M.9 1.5h10.2L6 10.7z',
    outline: true,
  },
  draining: { word: 'draining', tone: 'busy', rank: 4, path: 'M.4 1h11.2L6 11.2z' },
  starting: {
    word: 'starting',
    tone: 'busy',
    rank: 5,
    path: 'M6 1a5 5 0 0 0 0 10zM6 1a5 5 0 0 1 0 10V9.8a3.8 3.8 0 0 0 0-7.6z',
  },
  ready: { word: 'ready', tone: 'ok', rank: 6, path: 'M6 1a5 5 0 1 0 0 10A5 5 0 1 0 6 1z' },
  idle: {
    word: 'idle',
    tone: 'off',
    rank: 7,
    path: 'M6 1.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 1 0 0-8.8z',
    outline: true,
  },
  stopped: { word: 'stopped', tone: 'off', rank: 8, path: 'M1.6 1.6h8.8v8.8H1.6z', outline: true },
}

/** @type {Look} */
const unknown = { word: '?', tone: 'off', rank: 9, path: 'M1 5h10v2H1z' }

/** @param {string} state */
export function lookOf(state) {
  return looks[state] ?? { ...unknown, word: state }
}

/** Shapes of what happens. */
const signs = {
  ended: {
    tone: 'warn',
    path: 'M2.4 1 6 4.6 9.6 1 11 2.4 7.4 6 11 9.6 9.6 11 6 7.4 2.4 11 1 9.6 4.6 6 1 2.4z',
  },
  hang: { tone: 'bad', path: looks.backoff?.path ?? '' },
  quarantined: { tone: 'bad', path: looks.quarantined?.path ?? '' },
  lost: { tone: 'bad', path: looks.quarantined?.path ?? '' },
  'soft-limit': { tone: 'warn', path: looks.degraded?.path ?? '' },
  degraded: { tone: 'warn', path: looks.degraded?.path ?? '' },
  refused: { tone: 'warn', path: looks.degraded?.path ?? '' },
  restarting: { tone: 'busy', path: looks.backoff?.path ?? '' },
  draining: { tone: 'busy', path: looks.draining?.path ?? '' },
  recycling: { tone: 'busy', path: looks.draining?.path ?? '' },
  report: { tone: 'busy', path: 'M2 1h5.5L10 3.500V11H2zM4 5v1.200h4V5zm0 2.500v1.200h4V7.500z' },
  ready: { tone: 'ok', path: looks.ready?.path ?? '' },
  recovered: { tone: 'ok', path: looks.ready?.path ?? '' },
}

/** Events that somebody should know of. */
export const problemTypes = new Set([
  'hang',
  'quarantined',
  'lost',
  'soft-limit',
  'degraded',
  'refused',
  'restarting',
  'report',
])

/** @param {string} path @param {string} tone @param {boolean} [outline] */
function drawing(path, tone, outline = false) {
  const image = document.createElementNS(svg, 'svg')
  image.setAttribute('viewBox', '0 0 12 12')
  image.setAttribute('class', `shape tone-${tone}${outline ? ' outline' : ''}`)
  image.setAttribute('aria-hidden', 'true')
  const line = document.createElementNS(svg, 'path')
  line.setAttribute('d', path)
  line.setAttribute('fill-rule', 'evenodd')
  image.append(line)
  return image
}

/** The shape of a state. @param {string} state */
export function stateShape(state) {
  const { path, tone, outline } = lookOf(state)
  return drawing(path, tone, outline)
}

/** The shape of an event. @param {string} type */
export function eventShape(type) {
  const sign = signs[/** @type {keyof typeof signs} */ (type)] ?? {
    tone: 'off',
    path: 'M4.500 6a1.500 1.500 0 1 0 3 0 1.500 1.500 0 1 0-3 0z',
  }
  return drawing(sign.path, sign.tone)
}

/**
 * Shows a state in an element: shape and word.
 *
 * @param {HTMLElement} place
 * @param {string} state
 */
export function showState(place, state) {
  if (place.dataset.state === state) return
  place.dataset.state = state
  const word = document.createElement('span')
  word.textContent = lookOf(state).word
  place.className = `state tone-${lookOf(state).tone}`
  place.replaceChildren(stateShape(state), word)
}
