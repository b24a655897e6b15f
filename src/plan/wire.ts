import { shownPointer } from '../errors'
import { ByteWriter } from './byte-writer'
import { type FieldType, OPS, type Op } from './ops'
import { PLAN_VERSION, type Plan, type PlanHeader } from './plan'

/**
 * The plan as bytes, little endian, decoded by native/wire/decoder.h.
 *
 *   u32 magic "TSRP", u32 version, u32 total length
 *   header fields, launch fields (tables below, in order)
 *   for each list of LISTS: u32 count, then operations:
 *     u32 code, u32 length of what follows, str pointer, str what, fields (table order)
 *
 *   bool, u32: 4 bytes   u64, i64: 8 bytes   str: u32 length, bytes, one NUL   bytes: u32 length, bytes
 *   strs, u32s: u32 count, elements
 */
export const PLAN_MAGIC = 0x50525354

/** How this one call of tsrunc goes about the plan; not saved. */
export interface Launch {
  /** One of ACTION. */
  readonly action: number
  readonly detach: boolean
  /** run --keep: the stopped container is left for a later delete. */
  readonly keep: boolean
  readonly subreaper: boolean
  readonly log: string
  readonly logJson: boolean
  readonly debug: boolean
  /** Name of the monitor's directory: "init", "exec-NAME", or "exec-" for any that is free. Empty: there is no monitor. */
  readonly monitor: string
  /** Files or fifos for the streams; empty: none. */
  readonly monitorStdin: string
  readonly monitorStdout: string
  readonly monitorStderr: string
  /** Standard input stays open for those who attach. */
  readonly monitorInteractive: boolean
  /** One of LOG_DRIVER. */
  readonly logDriver: number
  readonly logPath: string
  /** Bytes; 0: no limit. */
  readonly logSizeMax: bigint
  readonly logFilesMax: number
}

/** launcher/monitor_order.h. */
export const LOG_DRIVER = { none: 0, raw: 1, 'k8s-file': 2, 'json-file': 3 } as const

export type MonitorLaunch = Pick<
  Launch,
  | 'monitor'
  | 'monitorStdin'
  | 'monitorStdout'
  | 'monitorStderr'
  | 'monitorInteractive'
  | 'logDriver'
  | 'logPath'
  | 'logSizeMax'
  | 'logFilesMax'
>

const NO_MONITOR: MonitorLaunch = {
  monitor: '',
  monitorStdin: '',
  monitorStdout: '',
  monitorStderr: '',
  monitorInteractive: false,
  logDriver: LOG_DRIVER.none,
  logPath: '',
  logSizeMax: 0n,
  logFilesMax: 1,
}

/** What is to be done with the plan: a row of native/launcher/planned.cc each. */
export const ACTION = { create: 1, run: 2, exec: 3, update: 4, checkpoint: 5, restore: 6 } as const

export const HEADER_FIELDS = {
  id: 'str',
  stateDir: 'str',
  bundle: 'str',
  ociVersionJson: 'str',
  idJson: 'str',
  bundleJson: 'str',
  rootfsJson: 'str',
  annotationsJson: 'str',
  stopSignal: 'u32',
  frozenFile: 'str',
  frozenText: 'str',
  cgroupPaths: 'strs',
  hasProcess: 'bool',
  ownPidNamespace: 'bool',
  terminal: 'bool',
  ownKeyring: 'bool',
  preserveFds: 'u32',
  config: 'bytes',
} as const satisfies { readonly [K in keyof PlanHeader]: FieldType }

export const LAUNCH_FIELDS = {
  action: 'u32',
  detach: 'bool',
  keep: 'bool',
  subreaper: 'bool',
  log: 'str',
  logJson: 'bool',
  debug: 'bool',
  monitor: 'str',
  monitorStdin: 'str',
  monitorStdout: 'str',
  monitorStderr: 'str',
  monitorInteractive: 'bool',
  logDriver: 'u32',
  logPath: 'str',
  logSizeMax: 'u64',
  logFilesMax: 'u32',
} as const satisfies { readonly [K in keyof Launch]: FieldType }

export const LISTS = ['create', 'init', 'initStart', 'start', 'delete'] as const satisfies readonly (keyof Plan)[]

function writeField(writer: ByteWriter, type: FieldType, value: unknown): void {
  switch (type) {
    case 'bool':
      return writer.u32(value === true ? 1 : 0)
    case 'u32':
      return writer.u32(value as number)
    case 'u64':
      return writer.u64(value as bigint)
    case 'i64':
      return writer.i64(value as bigint)
    case 'str':
      return writer.str(value as string)
    case 'bytes':
      return writer.bytes(value as Uint8Array)
    case 'strs': {
      const list = value as readonly string[]
      writer.u32(list.length)
      for (const item of list) writer.str(item)
      return
    }
    case 'u32s': {
      const list = value as readonly number[]
      writer.u32(list.length)
      for (const item of list) writer.u32(item)
      return
    }
  }
}

function writeFields(writer: ByteWriter, fields: Readonly<Record<string, FieldType>>, value: object): void {
  const record = value as Readonly<Record<string, unknown>>
  for (const name in fields) {
    const type = fields[name]
    if (type !== undefined) writeField(writer, type, record[name])
  }
}

function writeOp(writer: ByteWriter, op: Op): void {
  const definition = OPS[op.kind]
  writer.u32(definition.code)
  const lengthAt = writer.length
  writer.u32(0)
  writer.str(shownPointer(op.pointer))
  writer.str(op.what)
  writeFields(writer, definition.fields, op)
  writer.patch(lengthAt, writer.length - lengthAt - 4)
}

/** The bytes that the engine decodes. Errors: RangeError for a number that does not fit its field. */
export function encodePlan(plan: Plan, launch: Omit<Launch, keyof MonitorLaunch> & Partial<MonitorLaunch>): Uint8Array {
  const writer = new ByteWriter()
  writer.u32(PLAN_MAGIC)
  writer.u32(PLAN_VERSION)
  writer.u32(0)
  writeFields(writer, HEADER_FIELDS, plan.header)
  writeFields(writer, LAUNCH_FIELDS, { ...NO_MONITOR, ...launch })
  for (const list of LISTS) {
    writer.u32(plan[list].length)
    for (const op of plan[list]) writeOp(writer, op)
  }
  writer.patch(8, writer.length)
  return writer.finish()
}
