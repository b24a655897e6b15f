/** Where in a text: line and column, both from 1; a column counts characters (UTF-16 code units). */
export interface Position {
  readonly line: number
  readonly column: number
}

const LINE_END = /\r\n|\n|\r/g

/** The lines of a text, which end with LF, CRLF or CR. */
export class Lines {
  readonly #text: string
  /** The offset of each line's first character. */
  readonly #starts: number[] = [0]
  /** The offset behind each line's last character. */
  readonly #ends: number[] = []

  constructor(text: string) {
    this.#text = text
    for (const { 0: end, index } of text.matchAll(LINE_END)) {
      this.#ends.push(index)
      this.#starts.push(index + end.length)
    }
    this.#ends.push(text.length)
  }

  /** The position of an offset, in UTF-16 code units from 0. */
  positionAt(offset: number): Position {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#startOf(middle) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - this.#startOf(low) + 1 }
  }

  /** A line by its number from 1, without its end. */
  line(number: number): string {
    return this.#text.slice(this.#startOf(number - 1), this.#ends[number - 1])
  }

  #startOf(index: number): number {
    return this.#starts[index] ?? this.#text.length
  }
}
