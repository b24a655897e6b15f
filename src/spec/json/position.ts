/** Where in a text: line and column, both from 1; a column counts characters (UTF-16 code units). */
export interface Position {
  readonly line: number
  readonly column: number
}

/** The position of an offset (UTF-16 code units from 0). Lines end with LF, CRLF or CR. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split(/\r\n|\n|\r(?!\n)/)
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
