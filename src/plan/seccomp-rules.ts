import { TsruncError } from '../errors'
import type { Seccomp, SeccompArg, SeccompSyscall } from '../spec/types'
import { SECCOMP_ACTIONS, SECCOMP_FLAGS, SECCOMP_OPERATORS } from '../tables/seccomp'
import type { PlanBuilder } from './builder'
import type { Op } from './ops'
import { quote } from './paths'
import type { SeccompProgramRequest, SeccompRule } from './seccomp'

const EPERM = 1
/** From here on a filter sorted as a tree is faster than one that asks system call after system call. */
const TREE_THRESHOLD = 32

/** SCMP_ACT_* with its error number. Errors: NOT_SUPPORTED for NOTIFY, SECCOMP for an unknown word. */
function actionValue(word: string, errno: number | undefined, pointer: string): number {
  if (word === 'SCMP_ACT_NOTIFY') {
    throw new TsruncError('NOT_SUPPORTED', 'seccomp profiles with SCMP_ACT_NOTIFY are not supported yet', { pointer })
  }
  if (!Object.hasOwn(SECCOMP_ACTIONS, word)) {
    throw new TsruncError('SECCOMP', `${quote(word)} is not a seccomp action`, { pointer })
  }
  const action = SECCOMP_ACTIONS[word as keyof typeof SECCOMP_ACTIONS]
  return action.errno ? action.value | ((errno ?? EPERM) & 0xffff) : action.value
}

type Conditions = SeccompRule['conditions']

/**
 * The conditions of an entry, as lists of which one must hold. libseccomp wants all conditions of a rule to hold, and
 * takes one condition for each argument; several for one argument become rules of their own, as with runc.
 */
function alternatives(args: readonly SeccompArg[], pointer: string): readonly Conditions[] {
  const conditions = args.map(({ index, op, value, valueTwo = 0 }, at) => {
    if (!Object.hasOwn(SECCOMP_OPERATORS, op)) {
      throw new TsruncError('SECCOMP', `${quote(op)} is not a seccomp operator`, { pointer: `${pointer}/${at}/op` })
    }
    const number = SECCOMP_OPERATORS[op as keyof typeof SECCOMP_OPERATORS]
    return { index, op: number, value: BigInt(value), valueTwo: BigInt(valueTwo) }
  })
  const indexes = new Set(args.map(({ index }) => index))
  return indexes.size === args.length ? [conditions] : conditions.map((condition) => [condition])
}

function addRules(rules: SeccompRule[], syscall: SeccompSyscall, pointer: string): void {
  const action = actionValue(syscall.action, syscall.errnoRet, `${pointer}/action`)
  const lists = alternatives(syscall.args ?? [], `${pointer}/args`)
  for (const name of syscall.names) {
    for (const conditions of lists) rules.push({ name, action, conditions })
  }
}

/** config-linux.md "Seccomp" as libseccomp takes it. Errors: NOT_SUPPORTED, SECCOMP. */
export function seccompRequest(seccomp: Seccomp): SeccompProgramRequest {
  const pointer = '/linux/seccomp'
  const rules: SeccompRule[] = []
  seccomp.syscalls?.forEach((syscall, index) => {
    addRules(rules, syscall, `${pointer}/syscalls/${index}`)
  })
  return {
    defaultAction: actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet, `${pointer}/defaultAction`),
    architectures: seccomp.architectures ?? [],
    rules,
    optimize: rules.length > TREE_THRESHOLD ? 2 : 0,
  }
}

/**
 * SECCOMP_FILTER_FLAG_* for seccomp(2). Absent flags are SPEC_ALLOW, as with runc: without it the kernel slows the
 * process down by mitigations that are on for filters of old. WAIT_KILLABLE_RECV is about a listener, and none is made
 * without NOTIFY.
 */
export function seccompFlags(builder: PlanBuilder, flags: readonly string[] | undefined): bigint {
  if (flags === undefined) return BigInt(SECCOMP_FLAGS.SECCOMP_FILTER_FLAG_SPEC_ALLOW)
  let out = 0
  flags.forEach((word, index) => {
    const pointer = `/linux/seccomp/flags/${index}`
    if (!Object.hasOwn(SECCOMP_FLAGS, word)) {
      throw new TsruncError('SECCOMP', `${quote(word)} is not a seccomp flag`, { pointer })
    }
    if (word === 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV') {
      builder.warn(`${word} has no effect on a profile without SCMP_ACT_NOTIFY (config.json ${pointer})`)
    } else {
      out |= SECCOMP_FLAGS[word as keyof typeof SECCOMP_FLAGS]
    }
  })
  return BigInt(out)
}

export type CompileSeccomp = (request: SeccompProgramRequest) => Uint8Array

/** The operation that loads the container's filter, or undefined. Errors: NOT_SUPPORTED, SECCOMP. */
export function seccompOp(builder: PlanBuilder, compile: CompileSeccomp): Op<'setSeccomp'> | undefined {
  const seccomp = builder.spec.linux?.seccomp
  if (seccomp === undefined) return undefined
  const pointer = '/linux/seccomp'
  const request = seccompRequest(seccomp)
  const flags = seccompFlags(builder, seccomp.flags)
  try {
    return { kind: 'setSeccomp', pointer, what: 'load the seccomp filter', flags, program: compile(request) }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TsruncError('SECCOMP', `compile the seccomp profile: ${reason}`, { pointer, cause })
  }
}
