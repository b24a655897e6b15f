/** Resources whose values are decimal (bandwidth); of the others they are bit masks in hexadecimal (resctrl.rst). */
const DECIMAL: ReadonlySet<string> = new Set(['MB', 'SMBA'])

/** One line of a schemata file: the value of each domain of a resource, as in "L3:0=ff;1=0f". */
interface Schema {
  readonly resource: string
  readonly domains: ReadonlyMap<number, bigint>
}

function parseValue(text: string, decimal: boolean): bigint | undefined {
  const digits = text.trim().replace(decimal ? /^$/ : /^0x/i, '')
  if (!(decimal ? /^\d+$/ : /^[0-9a-f]+$/i).test(digits)) return undefined
  return BigInt(decimal ? digits : `0x${digits}`)
}

/** Undefined where the line has another form. */
function parseSchema(line: string): Schema | undefined {
  const colon = line.indexOf(':')
  if (colon < 0) return undefined
  const resource = line.slice(0, colon).trim()
  const domains = new Map<number, bigint>()
  for (const entry of line.slice(colon + 1).split(';')) {
    const [, domain, text = ''] = /^\s*(\d{1,9})\s*=(.*)$/.exec(entry) ?? []
    const value = parseValue(text, DECIMAL.has(resource))
    if (domain === undefined || value === undefined) return undefined
    domains.set(Number(domain), value)
  }
  return { resource, domains }
}

/**
 * The first of the lines that is not in force in an existing group, or undefined. The kernel pads what it prints, so
 * numbers are compared, not texts; domains that a line does not name may have any value.
 *
 * @param schemata content of the group's schemata file
 */
export function firstMismatch(lines: readonly string[], schemata: string): string | undefined {
  const existing = new Map(
    schemata.split('\n').flatMap((line) => {
      const schema = parseSchema(line)
      return schema === undefined ? [] : [[schema.resource, schema.domains]]
    }),
  )
  return lines.find((line) => {
    const asked = parseSchema(line)
    if (asked === undefined) return true
    const domains = existing.get(asked.resource)
    return [...asked.domains].some(([domain, value]) => domains?.get(domain) !== value)
  })
}
