import { MAX_CPU, MAX_NODE, parseNumberList } from '../../tables/number-list'
import { unusable } from '../json/strings'

/**
 * The value types of the spec that JSON schema has no word for, as the keyword `form`: integers of 32 and 64 bits, of
 * which a large one is a bigint, and strings of a fixed form. `says` ends the sentence "… must be …".
 */
export interface Form {
  readonly test: (value: unknown) => boolean
  readonly says: string
}

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const UINT64_MAX = 2n ** 64n - 1n

/** An integer of at most 53 bits, which is never a bigint. */
const small = (min: number, max: number, note = ''): Form => ({
  test: (value) => typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max,
  says: `an integer from ${min} to ${max}${note}`,
})

/** An integer that may be a bigint. */
const wide = (min: bigint, max: bigint, note = ''): Form => ({
  test: (value) =>
    typeof value === 'number'
      ? Number.isSafeInteger(value) && value >= min && value <= max
      : typeof value === 'bigint' && value >= min && value <= max,
  says: `an integer from ${min} to ${max}${note}`,
})

const string = (test: (value: string) => boolean, says: string): Form => ({
  test: (value) => typeof value === 'string' && test(value),
  says,
})

/**
 * cpuset(7) "List format", with the kernel's strides (bitmap_parselist): "0-3,7", "0-31:2/4", "". Not a line end: the
 * kernel would leave out what is behind it, in silence.
 */
function isNumberList(list: string): boolean {
  return list.split(/[ ,]+/).every((part) => {
    if (part === '') return true
    const [, first, last] = /^(\d{1,9})(?:-(\d{1,9})(?::\d+\/\d+)?)?$/.exec(part) ?? []
    return first !== undefined && (last === undefined || Number(first) <= Number(last))
  })
}

export const FORMS = {
  int32: small(-2147483648, 2147483647),
  uint32: small(0, 4294967295),
  int64: wide(INT64_MIN, INT64_MAX),
  uint64: wide(0n, UINT64_MAX),

  /** -1, as all bits set, means "leave it" to chown(2) and setresuid(2). */
  userId: small(0, 4294967294),
  /** Major or minor. */
  deviceNumber: small(0, 4294967295),
  deviceNumberOrAny: small(-1, 4294967295, ' (-1 is any)'),
  oomScoreAdj: small(-1000, 1000),
  ioPriority: small(0, 7),
  nanoseconds: small(0, 999_999_999),
  /** Seconds; config.md "POSIX-platform Hooks": greater than zero. */
  hookTimeout: small(1, 4294967295),
  swappiness: small(0, 100),
  cpuIdle: small(0, 1),
  /** Bytes, processes or microseconds. */
  limit: wide(-1n, INT64_MAX, ' (-1 is unlimited)'),
  /** Engines write 0 for a weight that their user did not set. */
  blockWeight: {
    test: (value) =>
      typeof value === 'number' && Number.isInteger(value) && (value === 0 || value >= 10) && value <= 1000,
    says: 'an integer from 10 to 1000 (or 0, which is not set)',
  },
  /** SECCOMP_RET_DATA has 16 bits. */
  seccompReturn: small(0, 65535),
  /** seccomp(2): struct seccomp_data has six arguments. */
  syscallArgument: small(0, 5),

  nonEmpty: string((value) => value !== '', 'a string that is not empty'),
  /** The name of a map's entry. */
  key: string(
    (value) => value !== '' && unusable(value) === undefined,
    'a name that is not empty and has no NUL and no half of a surrogate pair',
  ),
  absolutePath: string((value) => value.startsWith('/'), 'an absolute path'),
  numberList: string(isNumberList, 'a list of numbers and ranges such as "0-3,7"'),
  cpuList: string(
    (value) => value === '' || (parseNumberList(value, MAX_CPU)?.length ?? 0) > 0,
    `a list of CPUs such as "0-3,7", none above ${MAX_CPU}`,
  ),
  nodeList: string(
    (value) => parseNumberList(value, MAX_NODE) !== undefined,
    `a list of memory nodes such as "0-3,7", none above ${MAX_NODE}`,
  ),
  pageSize: string((value) => /^[1-9]\d{0,8}[KMG]B$/.test(value), 'a size such as "64KB", "2MB" or "1GB"'),
  /** The kernel's dev_valid_name: IFNAMSIZ of linux/if.h is 16, with the NUL. */
  interfaceName: string(
    (value) => /^[^\s/:]{1,15}$/.test(value) && Buffer.byteLength(value) <= 15 && value !== '.' && value !== '..',
    'the name of a network interface: at most 15 bytes, without white space, "/" and ":"',
  ),
  /** umask(2) takes permission bits; the kernel drops others in silence. */
  umask: small(0, 0o777, ' (octal 0777)'),
  deviceAccess: string((value) => /^[rwm]*$/.test(value), 'made of the letters r, w and m'),
} as const satisfies Readonly<Record<string, Form>>

export type FormName = keyof typeof FORMS
