import { quote, TsruncError } from '../errors'

/** A container's name is the name of its state directory. */
const LONGEST = 255

/** Errors: INVALID_ID unless `id` is made of letters, digits, "_", "+", "-" and "." and is neither "." nor "..". */
export function checkId(id: string): void {
  const fault =
    id === ''
      ? 'it is empty'
      : id === '.' || id === '..'
        ? 'it is a directory of its own kind'
        : id.length > LONGEST
          ? `it is longer than ${LONGEST} characters`
          : !/^[A-Za-z0-9_+.-]+$/.test(id)
            ? 'it may hold letters, digits and "_", "+", "-", "." only'
            : undefined
  if (fault !== undefined) throw new TsruncError('INVALID_ID', `invalid container ID ${quote(id)}: ${fault}`)
}
