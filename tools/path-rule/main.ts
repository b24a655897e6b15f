/** Part of `npm run lint`: native code outside of native/sys, which may not name what lies below a container's root. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALLOWED } from './allowed'
import { check } from './check'

const NATIVE = join(__dirname, '../../native')

const sources = readdirSync(NATIVE, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(cc|h)$/.test(path) && !path.startsWith('tests/') && !path.includes('.gen.'))
  .sort()
  .map((path) => ({ path, text: readFileSync(join(NATIVE, path), 'utf8') }))

const wrong = check(sources, ALLOWED)
process.stderr.write(wrong.map((line) => `${line}\n`).join(''))
process.exitCode = wrong.length === 0 ? 0 : 1
