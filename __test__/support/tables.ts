/** Logic tables of tests. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { projectRoot } from './child.js'

/** The text of a file of the PLA set. */
export function plaFile(name: string): string {
  return readFileSync(path.join(projectRoot, 'crates/espresso/tests/data/pla', name), 'utf8')
}

/** Every point of a function with half of its values 1: the exact mode has work for minutes. */
export function denseTable(inputs: number, outputs: number): string {
  let state = 12_345
  const bit = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >> 16) & 1
  }
  const rows = Array.from({ length: 2 ** inputs }, (_, point) => {
    const columns = point.toString(2).padStart(inputs, '0')
    return `${columns} ${Array.from({ length: outputs }, bit).join('')}`
  })
  return [`.i ${inputs}`, `.o ${outputs}`, ...rows, '.e', ''].join('\n')
}
