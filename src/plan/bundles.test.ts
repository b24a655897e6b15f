import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TsruncError } from '../errors'
import type { Spec } from '../spec/types'
import { FACTS_V1, FACTS_V2, resolve } from './fixtures'
import { ACTION, encodePlan } from './wire'

/** Configurations that real engines wrote: TSRUNC_BUNDLES is a directory of them. */
const DIRECTORY = process.env['TSRUNC_BUNDLES']
const NAMES =
  DIRECTORY === undefined
    ? []
    : readdirSync(DIRECTORY).filter((name) => name.endsWith('.json') && !name.startsWith('exec-process-'))
const LAUNCH = {
  action: ACTION.create,
  detach: true,
  keep: true,
  subreaper: false,
  log: '',
  logJson: false,
  debug: false,
}

function read(name: string): Spec {
  return JSON.parse(readFileSync(join(DIRECTORY ?? '', name), 'utf8')) as Spec
}

/** "planned", or the sentence that says what is not supported yet. */
function outcome(spec: Spec, facts: typeof FACTS_V1): string {
  const terminal = spec.process?.terminal === true
  try {
    const { plan } = resolve(spec, terminal ? { consoleSocket: '/run/console.sock' } : {}, facts)
    return encodePlan(plan, LAUNCH).length > 0 ? 'planned' : 'empty'
  } catch (error) {
    if (error instanceof TsruncError && error.code === 'NOT_SUPPORTED') return `${error.pointer} ${error.message}`
    throw error
  }
}

describe.skipIf(DIRECTORY === undefined)("engines' configurations (skipped: TSRUNC_BUNDLES names no directory)", () => {
  test.each(NAMES)('%s is planned on v1 and v2, or what is not supported is said', (name) => {
    const spec = read(name)
    for (const facts of [FACTS_V1, FACTS_V2]) expect(outcome(spec, facts)).toMatch(/^planned$|not supported yet$/)
  })
})
