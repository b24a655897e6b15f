/**
 * An error that a person reads. `message` is the whole story without the "tsrunc VERB:" in front (DESIGN of errors:
 * docs/ARCHITECTURE.md "Errors"); `code` is permanent (docs/ERRORS.md).
 */
export class TsruncError extends Error {
  readonly code: string
  /** JSON pointer into config.json, or ''. */
  readonly pointer: string

  constructor(code: string, message: string, options: { pointer?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'TsruncError'
    this.code = code
    this.pointer = options.pointer ?? ''
  }
}

/** Characters of a value that a message shows; names and paths of real life are shorter. */
const MOST_SHOWN = 256

/** A word of a message, cut where nobody would read it to its end. */
export const shortened = (text: string): string =>
  text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN - 3)}...` : text

/** A path, name or value as it stands in a message. */
export const quote = (text: string): string => JSON.stringify(shortened(text))

/**
 * What would end a line, move a terminal's cursor or change the order in which characters are shown: control
 * characters, line and paragraph separators, bidirectional overrides.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g

/** A message on one line, whatever the names from config.json that it holds. */
export const oneLine = (message: string): string =>
  message.replace(UNPRINTABLE, (character) =>
    character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** A JSON pointer as a message shows it: a name in it may be a megabyte long, and the pointer has to be read behind it. */
export const shownPointer = (pointer: string): string =>
  pointer.length <= MOST_SHOWN
    ? pointer
    : pointer
        .split('/')
        .map((step) => shortened(step))
        .join('/')
