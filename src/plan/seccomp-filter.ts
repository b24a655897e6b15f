import { quote, TsruncError } from '../errors'
import type { Seccomp, Spec } from '../spec/types'
import { SECCOMP_ACTIONS, SECCOMP_FLAGS } from '../tables/seccomp'
import type { PlanBuilder } from './builder'
import { pointerStep } from './paths'
import type { SeccompProgramRequest } from './seccomp'
import { seccompRequest } from './seccomp-rules'

const POINTER = '/linux/seccomp'

/** crun's: a filter as the bytes of its program, in base64, instead of the profile. */
export const BPF_DATA = 'run.oci.seccomp_bpf_data'
/** crun's: an unknown system call in the profile is an error, unless the value is "0". */
export const FAIL_UNKNOWN = 'run.oci.seccomp_fail_unknown_syscall'

const pointerTo = (annotation: string): string => `/annotations/${pointerStep(annotation)}`

/** A filter is loaded into the container's process. */
export const hasFilter = ({ linux, annotations }: Spec): boolean =>
  linux?.seccomp !== undefined || annotations?.[BPF_DATA] !== undefined

/** What the native compiler throws: what was refused is in `path`. */
interface CompileError {
  readonly message: string
  readonly syscall?: string
  readonly path?: string
  readonly detail?: string
}

export type CompileSeccomp = (request: SeccompProgramRequest) => Uint8Array

/** Which line of the profile the compiler did not take. */
function pointerOf({ architectures, syscalls }: Seccomp, { syscall, path = '' }: CompileError): string {
  if (syscall === 'seccomp_arch_add') {
    const index = architectures?.indexOf(path) ?? -1
    return index < 0 ? POINTER : `${POINTER}/architectures/${index}`
  }
  const index = syscalls?.findIndex(({ names }) => names.includes(path)) ?? -1
  return index < 0 ? POINTER : `${POINTER}/syscalls/${index}/names/${syscalls?.[index]?.names.indexOf(path)}`
}

/** A planner plans with what it has read once (host/memory.ts): the same profile is the same object. */
const requests = new WeakMap<Seccomp, SeccompProgramRequest>()

function requestOf(seccomp: Seccomp, failUnknown: boolean): SeccompProgramRequest {
  const known = requests.get(seccomp)
  if (known?.failUnknown === failUnknown) return known
  const request = seccompRequest(seccomp, failUnknown)
  requests.set(seccomp, request)
  return request
}

function compileProfile(seccomp: Seccomp, { annotations }: Spec, compile: CompileSeccomp): Uint8Array {
  const request = requestOf(seccomp, (annotations?.[FAIL_UNKNOWN] ?? '0') !== '0')
  try {
    return compile(request)
  } catch (cause) {
    const error = cause as CompileError
    const pointer = pointerOf(seccomp, error)
    const { message, path, detail } = error
    const story = path === undefined || detail === undefined ? message : `${path}: ${detail}`
    throw new TsruncError('SECCOMP', `compile the seccomp profile: ${story}`, { pointer, cause })
  }
}

/** struct sock_filter; BPF_MAXINSNS. */
const INSTRUCTION = 8
const MAX_INSTRUCTIONS = 4096

function decodeProgram(base64: string): Uint8Array {
  const pointer = pointerTo(BPF_DATA)
  const program = Buffer.from(base64, 'base64')
  if (program.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')) {
    throw new TsruncError('SECCOMP', `the annotation ${BPF_DATA} is not base64`, { pointer })
  }
  const count = program.length / INSTRUCTION
  if (!Number.isInteger(count) || count < 1 || count > MAX_INSTRUCTIONS) {
    const form = `1 to ${MAX_INSTRUCTIONS} instructions of ${INSTRUCTION} bytes`
    const message = `the annotation ${BPF_DATA} has ${program.length} bytes, a filter is ${form}`
    throw new TsruncError('SECCOMP', message, { pointer })
  }
  return program
}

/** BPF_RET | BPF_K (bpf_common.h). */
const RETURN_CONSTANT = 0x06
const ACTION_MASK = 0xffff0000

/** Whether a program can end in SECCOMP_RET_USER_NOTIF. */
function returnsNotify(program: Uint8Array): boolean {
  const view = new DataView(program.buffer, program.byteOffset, program.length)
  for (let at = 0; at < program.length; at += INSTRUCTION) {
    const action = (view.getUint32(at + 4, true) & ACTION_MASK) >>> 0
    if (view.getUint16(at, true) === RETURN_CONSTANT && action === SECCOMP_ACTIONS.SCMP_ACT_NOTIFY.value) return true
  }
  return false
}

const usesNotify = ({ syscalls = [] }: Seccomp): boolean => syscalls.some(({ action }) => action === 'SCMP_ACT_NOTIFY')

const KILLABLE = 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'
const TSYNC = 'SECCOMP_FILTER_FLAG_TSYNC'

/**
 * SECCOMP_FILTER_FLAG_* for seccomp(2). Absent flags are SPEC_ALLOW, as with runc: without it the kernel slows the
 * process down by mitigations that are on for filters of old. WAIT_KILLABLE_RECV is about a listener, and none is made
 * without NOTIFY. TSYNC gives the filter to all threads of the process; where there is a listener the only other one is
 * that which hands it over, and must not have it.
 */
function flagBits(builder: PlanBuilder, notifies: boolean): bigint {
  const flags = builder.spec.linux?.seccomp?.flags
  if (flags === undefined) return BigInt(SECCOMP_FLAGS.SECCOMP_FILTER_FLAG_SPEC_ALLOW)
  let out = 0
  flags.forEach((word, index) => {
    const pointer = `${POINTER}/flags/${index}`
    if (!Object.hasOwn(SECCOMP_FLAGS, word)) {
      throw new TsruncError('SECCOMP', `${quote(word)} is not a seccomp flag`, { pointer })
    }
    if (word === KILLABLE && !notifies) {
      builder.warn(`${word} has no effect on a profile without SCMP_ACT_NOTIFY (config.json ${pointer})`)
    } else if (word !== TSYNC || !notifies) {
      out |= SECCOMP_FLAGS[word as keyof typeof SECCOMP_FLAGS]
    }
  })
  return BigInt(out)
}

/** A filter as the kernel takes it. */
export interface SeccompFilter {
  readonly pointer: string
  readonly flags: bigint
  /** struct sock_filter[]. */
  readonly program: Uint8Array
  /** It can ask a listener. */
  readonly notifies: boolean
}

/** The container's filter, or undefined. Errors: SECCOMP. */
export function planFilter(builder: PlanBuilder, compile: CompileSeccomp): SeccompFilter | undefined {
  const { spec } = builder
  const data = spec.annotations?.[BPF_DATA]
  const seccomp = spec.linux?.seccomp
  if (data !== undefined) {
    const program = decodeProgram(data)
    const notifies = returnsNotify(program)
    return { pointer: pointerTo(BPF_DATA), flags: flagBits(builder, notifies), program, notifies }
  }
  if (seccomp === undefined) return undefined
  const notifies = usesNotify(seccomp)
  const program = compileProfile(seccomp, spec, compile)
  return { pointer: POINTER, flags: flagBits(builder, notifies), program, notifies }
}
