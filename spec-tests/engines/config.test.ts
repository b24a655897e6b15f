import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REPOSITORY } from '../lib/config'

const CONFIG = join(REPOSITORY, 'spec-tests/engines/config')
const DOCUMENT = readFileSync(join(REPOSITORY, 'docs/ENGINES.md'), 'utf8')

test.each(readdirSync(CONFIG))('docs/ENGINES.md has %s as the tests use it', (name) => {
  expect(DOCUMENT).toContain(`\n${readFileSync(join(CONFIG, name), 'utf8')}\`\`\``)
})
