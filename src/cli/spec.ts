import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { defaultSpec } from '../container/default-spec'
import { TsruncError } from '../errors'
import { probeCgroups } from '../host/cgroups'
import type { OptionTable } from './options'
import { defineVerb } from './verb'

const options = {
  bundle: {
    type: 'string',
    short: 'b',
    value: 'DIR',
    description: 'the directory to write into (default: the working directory)',
  },
  file: { type: 'string', short: 'f', value: 'FILE', description: 'the file to write (default: config.json)' },
  rootless: { type: 'boolean', description: 'write a configuration that an unprivileged user can run' },
} as const satisfies OptionTable

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new TsruncError('EXISTS', `${path} exists: remove it first`, { cause: error })
    throw new TsruncError('WRITE', `cannot write ${path}: ${message}`, { cause: error })
  }
}

export const verb = defineVerb({
  name: 'spec',
  summary: 'write a starter config.json',
  synopsis: '',
  description:
    'The file runs sh in ./rootfs with a terminal, a read-only root and few capabilities. It is a start: edit it.',
  options,
  positionals: [0, 0],
  run({ options: { bundle, file, rootless }, cwd }) {
    const ids = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
    const spec = defaultSpec({ rootless, ...ids, unifiedCgroups: probeCgroups().version === 2 })
    write(resolve(cwd, bundle ?? '.', file ?? 'config.json'), `${JSON.stringify(spec, undefined, '\t')}\n`)
    return 0
  },
})
