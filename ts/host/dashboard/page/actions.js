/** The buttons of an app. Each asks once more, names the app, and says what will come of it. */
import { announce } from './announcer.js'
import { byId, el } from './element.js'
import { ask } from './session.js'

/**
 * @typedef {object} Action
 * @property {string} name
 * @property {string} label
 * @property {(app: any) => boolean} isPossible
 * @property {(uuid: string) => string} says
 * @property {boolean} [danger]
 */

/** @type {readonly Action[]} */
export const actions = [
  {
    name: 'start',
    label: 'Start',
    isPossible: ({ state }) => state === 'idle' || state === 'stopped',
    says: (uuid) => `${uuid} is started.`,
  },
  {
    name: 'drain',
    label: 'Drain',
    isPossible: ({ state }) => ['ready', 'degraded', 'starting'].includes(state),
    says: (uuid) =>
      `${uuid} finishes what is under way, saves its state and ends. It stays stopped until somebody starts it.`,
  },
  {
    name: 'restart',
    label: 'Restart',
    isPossible: ({ state }) => !['stopping', 'draining'].includes(state),
    says: (uuid) => `${uuid} ends and starts again with the state that it saved.`,
  },
  {
    name: 'recycle',
    label: 'Recycle',
    isPossible: ({ state }) => state === 'ready' || state === 'degraded',
    says: (uuid) =>
      `${uuid} finishes what is under way, and a new process of it goes on with its state.`,
  },
  {
    name: 'release',
    label: 'Release',
    isPossible: ({ state }) => state === 'quarantined' || state === 'backoff',
    says: (uuid) => `${uuid} is tried again at once, and its failures so far are forgotten.`,
  },
  {
    name: 'kill',
    label: 'Kill',
    isPossible: ({ pid }) => pid !== null,
    says: (uuid) =>
      `All processes of ${uuid} end at once, without being asked. What its journal has acknowledged stays.`,
    danger: true,
  },
]

/** The buttons; `update` says which can be pressed now. @param {string} uuid */
export function actionButtons(uuid) {
  const result = el('p', { class: 'result', role: 'status' })
  const buttons = actions.map((action) => {
    const button = el(
      'button',
      { type: 'button', class: action.danger ? 'danger' : '' },
      action.label,
    )
    button.dataset.action = action.name
    button.addEventListener('click', () => confirm(uuid, action, result))
    return button
  })
  const element = el(
    'div',
    { class: 'actions', role: 'group', 'aria-label': `Actions on ${uuid}` },
    ...buttons,
  )
  return {
    element,
    result,
    /** @param {any} app */
    update(app) {
      for (const [index, action] of actions.entries()) {
        const button = /** @type {HTMLButtonElement} */ (buttons[index])
        const isPossible = action.isPossible(app)
        // Not `disabled`: that would take the focus away from under a hand.
        button.setAttribute('aria-disabled', String(!isPossible))
        button.hidden = !isPossible && ['start', 'release'].includes(action.name)
      }
    },
  }
}

/** @param {string} uuid @param {Action} action @param {HTMLElement} result */
function confirm(uuid, action, result) {
  const pressed = document.activeElement
  if (pressed?.getAttribute('aria-disabled') === 'true') {
    result.textContent = `${action.label} is not possible while ${uuid} is like this.`
    return
  }
  const dialog = byId('dialog')
  const yes = el(
    'button',
    { type: 'button', class: action.danger ? 'danger primary' : 'primary' },
    `${action.label} ${uuid}`,
  )
  const no = el('button', { type: 'button', autofocus: true }, 'Cancel')
  no.addEventListener('click', () => dialog.close())
  yes.addEventListener('click', () => {
    dialog.close()
    void perform(uuid, action, result)
  })
  dialog.replaceChildren(
    el('h2', { id: 'dialog-title' }, `${action.label} ${uuid}?`),
    el('p', {}, action.says(uuid)),
    el('div', { class: 'actions' }, no, yes),
  )
  dialog.className = ''
  dialog.showModal()
}

/** @param {string} uuid @param {Action} action @param {HTMLElement} result */
async function perform(uuid, action, result) {
  result.className = 'result'
  result.textContent = `${action.label} ${uuid}: asked …`
  try {
    const { answer } = await ask(`/api/apps/${encodeURIComponent(uuid)}/${action.name}`, {
      confirm: uuid,
    })
    const facts = Object.entries(answer).map(([name, value]) => `${name} ${value}`)
    result.textContent = `${action.label} ${uuid}: done, ${facts.join(', ')}.`
    announce(`${action.label} ${uuid} is done`)
  } catch (error) {
    result.className = 'result tone-bad'
    result.textContent = `${action.label} ${uuid}: refused. ${error instanceof Error ? error.message : error}`
  }
}
