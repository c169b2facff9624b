/**
 * The key of this page. It came behind the `#` of the address and is kept for this tab alone; it goes out
 * in a header, so that no other page can make the browser send it.
 */
const storageName = 'pos-kernel-host-key'

/** Takes the key out of the address, where somebody could read it over a shoulder. */
export function takeKey() {
  const found = /^#key=([0-9a-f]{64})$/.exec(location.hash)?.[1]
  if (found === undefined) return
  sessionStorage.setItem(storageName, found)
  history.replaceState(null, '', location.pathname)
}

/** True when there is a key to show. */
export function hasKey() {
  return sessionStorage.getItem(storageName) !== null
}

/**
 * A request with the key.
 *
 * @param {string} path
 * @param {RequestInit} [options]
 */
export function request(path, options = {}) {
  const key = sessionStorage.getItem(storageName) ?? ''
  const headers = { ...options.headers, Authorization: `Bearer ${key}` }
  return fetch(path, { ...options, headers, credentials: 'omit', redirect: 'error' })
}

/**
 * A request whose answer is JSON. Rejects with the sentence of a refusal.
 *
 * @param {string} path
 * @param {object} [body] - makes it a POST
 * @returns {Promise<any>}
 */
export async function ask(path, body) {
  const post = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  }
  const response = await request(path, body === undefined ? {} : post)
  const answer = await response.json()
  if (response.ok) return answer
  throw new Error(`${answer.code}: ${answer.message}`)
}
