export declare const price: number
export declare function keyOf(who: string, count: number): string
export declare function judge(run: {
  readonly root: string
  readonly tills: readonly string[]
  readonly clerk: string
  readonly tally?: string
  readonly others?: readonly string[]
}): Promise<{
  readonly sales: number
  readonly messages: number
  readonly counts: number
  readonly retried: number
  readonly faults: readonly { readonly kind: string; readonly what: string }[]
}>
export declare function waiting(root: string, tills: readonly string[]): number
export declare function dataOf(root: string, name: string): string
