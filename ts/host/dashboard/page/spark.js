/** Small charts in the list: the last minute, drawn by hand on a canvas, and only where somebody can see them. */

/** @type {WeakMap<Element, () => void>} */
const waiting = new WeakMap()
/** @type {WeakSet<Element>} */
const visible = new WeakSet()
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) visible.delete(target)
    else {
      visible.add(target)
      waiting.get(target)?.()
    }
  }
})

const width = 48
const height = 18

/** A canvas for {@link drawSpark}. */
export function sparkCanvas() {
  const canvas = document.createElement('canvas')
  const scale = Math.min(3, Math.ceil(devicePixelRatio))
  canvas.width = width * scale
  canvas.height = height * scale
  canvas.className = 'spark'
  canvas.setAttribute('aria-hidden', 'true')
  watcher.observe(canvas)
  return canvas
}

/**
 * Draws the values, the latest at the right. It shows how they move, not how much they are: the scale is their own.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {readonly (number | null)[]} values
 * @param {string} colour
 */
export function drawSpark(canvas, values, colour) {
  const draw = () => paint(canvas, values, colour)
  waiting.set(canvas, draw)
  if (visible.has(canvas)) draw()
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {readonly (number | null)[]} values
 * @param {string} colour
 */
function paint(canvas, values, colour) {
  const context = canvas.getContext('2d')
  if (context === null) return
  const scale = canvas.width / width
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, height)
  const known = values.filter((value) => value !== null)
  const most = Math.max(...known)
  // A tenth of the value at least, so that what stands still is a calm line.
  const span = Math.max(most - Math.min(...known), most / 10, 1)
  const y = (/** @type {number} */ value) => 2 + ((most - value) / span) * (height - 4)
  const step = width / 59
  context.beginPath()
  let isDown = false
  for (const [index, value] of values.entries()) {
    const x = width - (values.length - 1 - index) * step
    if (value === null) isDown = false
    else if (isDown) context.lineTo(x, y(value))
    else {
      context.moveTo(x, y(value))
      isDown = true
    }
  }
  context.strokeStyle = colour
  context.lineWidth = 1.25
  context.lineJoin = 'round'
  context.stroke()
}
