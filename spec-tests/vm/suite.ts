import { mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { REPOSITORY } from '../lib/config'
import { callOfI386, exchanger, killAt, probeProgram, ptyTool, reapTool } from '../lib/programs'

export const WORK = join(REPOSITORY, 'build', 'vm-tests')

/** The tests find the repository by their own place, which a bundle has not. */
const ownPlaces: Plugin = {
  name: 'own places',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      loader: 'ts',
      contents: (await readFile(path, 'utf8')).replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
    }))
  },
}

/**
 * Bundles test files into one program: `list` prints their tests, `run FILE` runs those in
 * the file, `[{"file":…,"title":…},…]`. What the tests
 * compile on the host is compiled here, because the machine has no compiler.
 *
 * @returns path of the program, for node
 */
export const bundleSuite = async (files: readonly string[]): Promise<string> => {
  for (const program of [probeProgram, ptyTool, reapTool, killAt, exchanger, callOfI386]) {
    program()
  }
  mkdirSync(WORK, { recursive: true })
  const guest = join(__dirname, 'guest.ts')
  const outfile = join(WORK, 'suite.cjs')
  const entry = [
    `const { inFile, listTests, runTests } = require(${JSON.stringify(guest)})`,
    ...files.map((file) => `inFile(${JSON.stringify(file)}); require(${JSON.stringify(file)})`),
    `const [verb, list, index, count] = process.argv.slice(2)`,
    `if (verb === 'list') listTests()`,
    `else if (index === undefined) runTests(list)`,
    `else runTests(list, Number(index), Number(count))`,
  ].join('\n')
  await build({
    stdin: { contents: entry, resolveDir: REPOSITORY, loader: 'js' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    alias: { vitest: guest },
    plugins: [ownPlaces],
    outfile,
    logLevel: 'error',
  })
  return outfile
}
