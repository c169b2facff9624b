/** Says aloud what changed, for people who do not see it: not more often than can be heard, and never everything at once. */
import { byId } from './element.js'

const everyMs = 1500
/** @type {string[]} */
let waiting = []
let isQuiet = false

/** @param {string} text */
export function announce(text) {
  waiting.push(text)
  if (isQuiet) return
  isQuiet = true
  setTimeout(speak, 50)
}

function speak() {
  const texts = waiting
  waiting = []
  const shown = texts.slice(0, 3).join('. ')
  byId('announcer').textContent =
    texts.length > 3 ? `${shown}. And ${texts.length - 3} more changes` : shown
  setTimeout(() => {
    isQuiet = waiting.length > 0
    if (isQuiet) speak()
  }, everyMs)
}
