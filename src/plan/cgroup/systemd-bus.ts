import { quote, TsruncError } from '../../errors'

/** Where systemd is asked, as startUnit has it. */
export interface SystemdBus {
  readonly bus: string
  readonly peer: string
  /** How long each answer is waited for. */
  readonly seconds: number
}

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_SECONDS = 30
const MOST_SECONDS = 3600
/** sun_path of unix(7), with its NUL. */
const MOST_ADDRESS = 107

const refused = (variable: string, value: string, why: string): TsruncError =>
  new TsruncError('BUS_ADDRESS', `${variable}=${quote(value)}: ${why}`)

/** D-Bus Specification, "Server Addresses": %XX is a byte. */
function unescaped(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1')
  const plain = bytes.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  )
  return Buffer.from(plain, 'latin1').toString('utf8')
}

function socketOf(address: string): string | undefined {
  if (!address.startsWith('unix:')) return undefined
  for (const pair of address.slice('unix:'.length).split(',')) {
    const equals = pair.indexOf('=')
    const key = pair.slice(0, equals)
    const value = unescaped(pair.slice(equals + 1))
    if (key === 'path' && value.startsWith('/')) return value
    if (key === 'abstract' && value !== '') return `@${value}`
  }
  return undefined
}

/**
 * The socket of an address of D-Bus; a list of them is tried in its order by libraries, here the first that can be used
 * counts.
 */
function socketOfVariable(variable: string, value: string): string {
  const socket = value.split(';').flatMap((address) => socketOf(address) ?? [])[0]
  if (socket === undefined) throw refused(variable, value, 'it must be unix:path=PATH or unix:abstract=NAME')
  if (socket.includes('\0') || Buffer.byteLength(socket) > MOST_ADDRESS) {
    throw refused(variable, value, `the name of the socket must have at most ${MOST_ADDRESS} bytes, and no NUL`)
  }
  return socket
}

/** $SYSTEMD_BUS_TIMEOUT, as systemd's own programs take it: seconds, or a number with a unit. */
function secondsOf(value: string | undefined): number {
  if (value === undefined || value === '') return DEFAULT_SECONDS
  const [, number = '', unit = ''] = /^(\d{1,9})\s*(ms|s|sec|min|m|)$/.exec(value.trim()) ?? []
  if (number === '') throw refused('SYSTEMD_BUS_TIMEOUT', value, 'it must be a number of seconds')
  const factor = unit === 'ms' ? 0.001 : unit.startsWith('m') ? 60 : 1
  return Math.min(Math.max(Math.ceil(Number(number) * factor), 1), MOST_SECONDS)
}

/** Errors: BUS_ADDRESS. */
export function systemdBus(instance: 'system' | 'user', environment: Environment): SystemdBus {
  const seconds = secondsOf(environment['SYSTEMD_BUS_TIMEOUT'])
  const variable = instance === 'system' ? 'DBUS_SYSTEM_BUS_ADDRESS' : 'DBUS_SESSION_BUS_ADDRESS'
  const given = environment[variable] ?? ''
  // Who names a bus wants that one and no other.
  if (given !== '') return { bus: socketOfVariable(variable, given), peer: '', seconds }
  if (instance === 'system') return { bus: '/run/dbus/system_bus_socket', peer: '/run/systemd/private', seconds }
  const runtime = environment['XDG_RUNTIME_DIR'] ?? ''
  if (!runtime.startsWith('/')) {
    const why = 'neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR says where the systemd of the caller is'
    throw new TsruncError('BUS_ADDRESS', `${why} (log in with systemd's pam module, or use --cgroup-manager cgroupfs)`)
  }
  return { bus: `${runtime}/bus`, peer: `${runtime}/systemd/private`, seconds }
}
