/** The colours of the page, light and dark, by the formula of WCAG 2.2: 4.5 for text, 3 for what is drawn. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { projectRoot } from '../../support/child.js'

const file = path.join(projectRoot, 'ts/host/dashboard/page/style.css')
const sheet = readFileSync(file, 'utf8')

/** The variables of the first `:root` after this place. */
function coloursFrom(place: number): Map<string, string> {
  const block = /:root \{([^}]*)\}/.exec(sheet.slice(place))?.[1] ?? ''
  const found = [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)]
  return new Map(found.map(([, name, value]) => [name as string, value as string]))
}

const light = coloursFrom(0)
const dark = new Map([...light, ...coloursFrom(sheet.indexOf('prefers-color-scheme: dark'))])

/** Relative luminance. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}

const grounds = ['background', 'surface', 'raised', 'selected']
const texts = ['text', 'muted', 'accent', 'ok', 'busy', 'warn', 'bad', 'off']
const pairs: [string, string, number][] = [
  ...texts.flatMap((text) =>
    grounds.map((ground): [string, string, number] => [text, ground, 4.5]),
  ),
  ['text', 'bad-surface', 4.5],
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'bad', 4.5],
  ['control', 'surface', 3],
  ['control', 'background', 3],
  ...['memory', 'cpu', 'loop', 'messages'].map((name): [string, string, number] => [
    `line-${name}`,
    'surface',
    3,
  ]),
  // The bar of a meter against its ground.
  ...['busy', 'warn', 'bad'].map((name): [string, string, number] => [name, 'grid', 3]),
]

for (const [theme, colours] of [
  ['light', light],
  ['dark', dark],
] as const) {
  test(`${theme}: every pair of colours that carries meaning can be told apart`, (t) => {
    t.true(colours.size > 15)
    for (const [front, back, least] of pairs) {
      const [a, b] = [colours.get(front), colours.get(back)]
      if (a === undefined || b === undefined) {
        t.fail(`there is no colour ${front} or ${back}`)
        continue
      }
      const found = contrast(a, b)
      t.true(found >= least, `${front} on ${back}: ${found.toFixed(2)}, at least ${least}`)
    }
  })
}

test('the formula is that of the standard', (t) => {
  t.is(contrast('#000000', '#ffffff'), 21)
  t.is(contrast('#777777', '#ffffff').toFixed(2), '4.48')
})

test('colours are named once: none is written where it is used', (t) => {
  const rules = sheet.replace(/:root \{[^}]*\}/g, '')
  t.deepEqual(rules.match(/#[0-9a-f]{3,8}\b/gi), null)
})
