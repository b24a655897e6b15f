/** Letters and digits in lower case: what people get right first. */
const plain = (word: string): string => word.toLowerCase().replace(/[^a-z0-9]/g, '')

/** What all of the words begin with, up to an underscore: `SCMP_ACT_`. */
function commonStem(words: readonly string[]): string {
  const [first = '', ...rest] = words
  let length = first.length
  for (const word of rest) while (!word.startsWith(first.slice(0, length))) length -= 1
  return first.slice(0, first.slice(0, length).lastIndexOf('_') + 1)
}

/** Insertions, deletions, replacements and swaps of neighbours that make one word of the other; `most + 1` for more. */
function distance(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return most + 1
  let before: readonly number[] = []
  let last: readonly number[] = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row += 1) {
    const now = [row]
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1]
      const isSwap = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      const choices = [(now[column - 1] ?? 0) + 1, (last[column] ?? 0) + 1, (last[column - 1] ?? 0) + (isSame ? 0 : 1)]
      if (isSwap) choices.push((before[column - 2] ?? 0) + 1)
      now.push(Math.min(...choices))
    }
    before = last
    last = now
  }
  return last[other.length] ?? most + 1
}

/** Whether the letters of `short` stand in `long` in their order, the first one first: mnt, mount. */
function abbreviates(short: string, long: string): boolean {
  if (short.length < 3 || short[0] !== long[0]) return false
  let at = 0
  for (const letter of long) if (letter === short[at]) at += 1
  return at === short.length
}

const only = (words: readonly string[]): string | undefined => (words.length === 1 ? words[0] : undefined)

/** Longer words are data, not a slip of the pen. */
const LONGEST = 60

/**
 * The one of `words` that was probably meant: written in other letters or without the stem that all have (`net_admin`,
 * CAP_NET_ADMIN), its beginning (net, network), mistyped (one letter in three), or abbreviated (mnt, mount).
 */
export function nearest(written: unknown, words: readonly string[]): string | undefined {
  if (typeof written !== 'string' || written.length > LONGEST) return undefined
  const stem = plain(commonStem(words))
  const wanted = plain(written).startsWith(stem) ? plain(written).slice(stem.length) : plain(written)
  if (wanted === '') return undefined
  const rows = words.map((word) => ({ word, letters: plain(word).slice(stem.length) }))
  const named = (test: (letters: string) => boolean): readonly string[] =>
    rows.filter(({ letters }) => test(letters)).map(({ word }) => word)
  const most = Math.max(wanted.length > 2 ? 1 : 0, Math.floor(wanted.length / 3))
  const distances = rows.map(({ letters }) => distance(wanted, letters, most))
  const least = Math.min(...distances)
  return (
    only(named((letters) => letters === wanted)) ??
    (wanted.length < 3 ? undefined : only(named((letters) => letters.startsWith(wanted)))) ??
    (least > most ? undefined : only(words.filter((_, index) => distances[index] === least))) ??
    only(named((letters) => abbreviates(wanted, letters)))
  )
}

/** For a suggestion, as in `did you mean "network"?`. */
export function didYouMean(written: unknown, words: readonly string[]): string | undefined {
  const word = nearest(written, words)
  return word === undefined ? undefined : `did you mean ${JSON.stringify(word)}?`
}
