import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// What tools/build.ts writes into the bundle.
const define = {
  TSRUNC_VERSION: '"0.0.0-test"',
  TSRUNC_COMMIT: '"0000000"',
  TSRUNC_DIST: JSON.stringify(join(__dirname, 'dist')),
}

const workers = Number(process.env['SPEC_TESTS_WORKERS'] ?? '1')

export default defineConfig({
  test: {
    projects: [
      {
        define,
        test: {
          name: 'unit',
          include: ['{src,tools,native,bench,scripts,spec-tests/{conformance,engines,report,vm}}/**/*.test.ts'],
          environment: 'node',
          // A process for each of a hundred files costs more than a third of the tests themselves.
          isolate: false,
          // Nothing is timed: a test that hangs ends here, one on a busy machine does not. A long run of fuzzing ends by itself.
          testTimeout: 60_000 + 2000 * Number(process.env['FUZZ_SECONDS'] ?? '0'),
        },
      },
      {
        define,
        test: {
          name: 'spec',
          include: ['spec-tests/suites/**/*.test.ts'],
          environment: 'node',
          // Whether another runtime is lucky says nothing about ours.
          retry: /tsrunc$/.test(process.env['RUNTIME'] ?? 'tsrunc') ? 0 : 2,
          // Containers share cgroups, the process table and processors: one file after the other, or a few beside each other.
          fileParallelism: workers > 1,
          maxWorkers: workers,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
