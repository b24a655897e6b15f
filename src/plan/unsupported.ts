import { TsruncError } from '../errors'
import type { Spec } from '../spec/types'

const isNamed = (value: string | undefined): boolean => value !== undefined && value !== ''

/** What tsrunc does not build yet. Never left out in silence: a container without its confinement is none. */
const UNSUPPORTED: readonly (readonly [pointer: string, sentence: string, isAsked: (spec: Spec) => boolean])[] = [
  [
    '/annotations/run.oci.seccomp.plugins',
    'plugins that answer the notifications of a seccomp filter are',
    ({ annotations }) => isNamed(annotations?.['run.oci.seccomp.plugins']),
  ],
]

/** Errors: NOT_SUPPORTED. */
export function checkSupported(spec: Spec): void {
  for (const [pointer, sentence, isAsked] of UNSUPPORTED) {
    if (isAsked(spec)) throw new TsruncError('NOT_SUPPORTED', `${sentence} not supported yet`, { pointer })
  }
}
