import {
  and32,
  assemble,
  exit,
  jumpAlways,
  jumpIfSet,
  jumpUnequal,
  type Line,
  label,
  loadWord,
  move,
  shiftRight32,
} from './bpf'
import { ALL_ACCESS, type DevicePolicy, type NumberedRule } from './device-rules'

/** BPF_DEVCG_DEV_* of linux/bpf.h. */
const DEVICE_TYPE = { b: 1, c: 2 } as const

/** Registers. On entry r1 points to struct bpf_cgroup_dev_ctx { u32 access_type; u32 major; u32 minor; }. */
const RESULT = 0
const CONTEXT = 1
const TYPE = 2
const REMAINING = 3
const MAJOR = 4
const MINOR = 5

/** dev_t of the kernel: 12 bits and 20 bits. No device has a larger number. */
const MAJOR_MAX = 0xfff
const MINOR_MAX = 0xfffff

/**
 * The program of type BPF_PROG_TYPE_CGROUP_DEVICE for the policy, or undefined where everything is allowed.
 *
 * It asks the rules from the last to the first. REMAINING are the rights of the request about which no rule has spoken
 * yet: a rule that denies one of them denies the request, one that allows them takes them out.
 */
export function deviceProgramV2({ allowByDefault, rules }: DevicePolicy): Uint8Array | undefined {
  const effective = rules.filter(isOfDevice)
  if (allowByDefault && effective.every(({ allow }) => allow)) return undefined
  return assemble([
    loadWord(TYPE, CONTEXT, 0),
    and32(TYPE, 0xffff),
    loadWord(REMAINING, CONTEXT, 0),
    shiftRight32(REMAINING, 16),
    loadWord(MAJOR, CONTEXT, 4),
    loadWord(MINOR, CONTEXT, 8),
    ...[...effective].reverse().flatMap(ruleBlock),
    ...answer(allowByDefault),
  ])
}

const isOfDevice = ({ major = 0, minor = 0 }: NumberedRule): boolean => major <= MAJOR_MAX && minor <= MINOR_MAX

const answer = (allow: boolean): readonly Line[] => [move(RESULT, allow ? 1 : 0), exit]

function ruleBlock({ allow, type, major, minor, access }: NumberedRule): readonly Line[] {
  const next = label('next rule')
  const out: Line[] = [jumpUnequal(TYPE, DEVICE_TYPE[type], next)]
  if (major !== undefined) out.push(jumpUnequal(MAJOR, major, next))
  if (minor !== undefined) out.push(jumpUnequal(MINOR, minor, next))
  if (access === ALL_ACCESS) {
    out.push(...answer(allow))
  } else if (allow) {
    out.push(and32(REMAINING, ALL_ACCESS & ~access), jumpUnequal(REMAINING, 0, next), ...answer(true))
  } else {
    const deny = label('deny')
    out.push(jumpIfSet(REMAINING, access, deny), jumpAlways(next), deny, ...answer(false))
  }
  return [...out, next]
}
