import type { Finding, Validation } from '../container/validate'
import { Lines } from '../spec/json'

/** What `validate --format json` prints. The names are part of the command line's interface: man/tsrunc-validate.8.md. */
export interface ValidationReport {
  /** The file as the caller named it, `-` for the standard input. */
  readonly file: string
  readonly valid: boolean
  readonly errors: readonly Omit<Finding, 'severity'>[]
  readonly warnings: readonly Omit<Finding, 'severity'>[]
}

export function findingsAsJson(file: string, { findings }: Validation): string {
  const of = (severity: Finding['severity']): ValidationReport['errors'] =>
    findings.filter((finding) => finding.severity === severity).map(({ severity: _, ...finding }) => finding)
  const report: ValidationReport = {
    file,
    valid: of('error').length === 0,
    errors: of('error'),
    warnings: of('warning'),
  }
  return `${JSON.stringify(report, undefined, 2)}\n`
}

const SGR = { error: '31;1', warning: '33;1', strong: '1' } as const
type Paint = (style: keyof typeof SGR, text: string) => string

const count = (number: number, name: string): readonly string[] =>
  number === 0 ? [] : [`${number} ${name}${number === 1 ? '' : 's'}`]

/** As compilers print them: `FILE:LINE:COLUMN: error: …`, the line with a mark beneath, what to do, and by which rule. */
export function findingsAsText(file: string, { text, findings }: Validation, isTerminal: boolean): string {
  const paint: Paint = (style, words) => (isTerminal ? `\u001b[${SGR[style]}m${words}\u001b[0m` : words)
  const lines = new Lines(text)
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const counts = [...count(errors, 'error'), ...count(findings.length - errors, 'warning')]
  const verdict = [...(errors === 0 ? ['valid'] : []), ...counts].join(', ')
  return [...findings.map((finding) => paragraph(file, finding, lines, paint)), `${file}: ${verdict}\n`].join('\n')
}

function paragraph(file: string, finding: Finding, lines: Lines, paint: Paint): string {
  const { severity, pointer, line, column, message, suggestion, rule, section } = finding
  const subject = pointer === '' ? '' : `${paint('strong', visible(pointer))}: `
  const number = String(line)
  const margin = ' '.repeat(number.length)
  const [excerpt, mark] = excerptOf(lines.line(line), column - 1)
  return [
    `${file}:${line}:${column}: ${paint(severity, severity)}: ${subject}${visible(message)}`,
    `  ${number} | ${excerpt}`,
    `  ${margin} | ${paint(severity, mark)}`,
    ...(suggestion === undefined ? [] : [`  ${margin} = help: ${visible(suggestion)}`]),
    `  ${margin} = ${section} [${rule}]`,
    '',
  ].join('\n')
}

/** Most columns of an excerpt: engines write config.json as one line. */
const WIDTH = 100
/** Columns of it that stand before the mark, where the line is cut. */
const LEAD = 40

/** A string without its end, or a word, or one character. */
const TOKEN = /"(?:[^"\\]|\\.)*"?|[\w.+-]+|./uy

/** The part of a line around an index, and the marks of what begins there. */
function excerptOf(line: string, index: number): readonly [excerpt: string, mark: string] {
  const start = line.length > WIDTH && index > LEAD ? index - LEAD : 0
  const before = `${start > 0 ? '…' : ''}${line.slice(start, index)}`
  const rest = line.slice(index, start + WIDTH)
  TOKEN.lastIndex = 0
  const token = TOKEN.exec(rest)?.[0] ?? ' '
  const cut = line.length > start + WIDTH ? '…' : ''
  return [visible(before + rest + cut), `${' '.repeat([...before].length)}${'^'.repeat([...token].length)}`]
}

/** Text of a stranger's file as one line that a terminal does not obey: controls, direction marks and lone surrogates. */
function visible(text: string): string {
  return text.replace(/\t/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd')
}
