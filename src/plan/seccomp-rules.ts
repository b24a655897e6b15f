import { quote, TsruncError } from '../errors'
import type { Seccomp, SeccompArg, SeccompSyscall } from '../spec/types'
import { SECCOMP_ACTIONS, SECCOMP_OPERATORS } from '../tables/seccomp'
import type { SeccompProgramRequest, SeccompRule } from './seccomp'

const EPERM = 1
/** From here on a filter sorted as a tree is faster than one that asks system call after system call. */
const TREE_THRESHOLD = 32

/** SCMP_ACT_* with its error number. Errors: SECCOMP for an unknown word. */
function actionValue(word: string, errno: number | undefined, pointer: string): number {
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

/**
 * BPF_MAXINSNS: a filter has at most that many instructions, and each condition takes one. libseccomp's time grows with the
 * square of the conditions for one system call, so that it is not asked for what cannot be.
 */
const MAX_CONDITIONS = 4096

function checkSize(rules: readonly SeccompRule[], defaultAction: number): void {
  const effective = rules.filter(({ action }) => action !== defaultAction)
  const conditions = effective.reduce((sum, rule) => sum + rule.conditions.length, 0)
  if (conditions <= MAX_CONDITIONS) return
  const message = `the profile has ${conditions} conditions of arguments, but a filter has at most ${MAX_CONDITIONS} instructions`
  throw new TsruncError('SECCOMP', message, { pointer: '/linux/seccomp/syscalls' })
}

/**
 * Without what a rule for every call of the same name makes void, wherever it stands: libseccomp would find the one in the
 * other, and where it does so on one architecture (i386 reaches socket(2) by another call too) take neither on any.
 */
function withoutVoid(rules: readonly SeccompRule[], defaultAction: number): readonly SeccompRule[] {
  const always = rules.filter(({ action, conditions }) => conditions.length === 0 && action !== defaultAction)
  const names = new Set(always.map(({ name }) => name))
  return rules.filter(({ name, conditions }) => conditions.length === 0 || !names.has(name))
}

/**
 * config-linux.md "Seccomp" as libseccomp takes it. `failUnknown`: a system call that libseccomp does not know is an
 * error. Errors: SECCOMP.
 */
export function seccompRequest(seccomp: Seccomp, failUnknown = false): SeccompProgramRequest {
  const pointer = '/linux/seccomp'
  const rules: SeccompRule[] = []
  seccomp.syscalls?.forEach((syscall, index) => {
    addRules(rules, syscall, `${pointer}/syscalls/${index}`)
  })
  const defaultAction = actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet, `${pointer}/defaultAction`)
  checkSize(rules, defaultAction)
  const effective = withoutVoid(rules, defaultAction)
  return {
    defaultAction,
    architectures: seccomp.architectures ?? [],
    rules: effective,
    optimize: effective.length > TREE_THRESHOLD ? 2 : 0,
    failUnknown,
  }
}
