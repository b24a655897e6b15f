/** Who may import whom (docs/ARCHITECTURE.md "Invariants"): imports go one way. */

/** Everything in src/ but the folders and files given, as one expression. */
const all = (...paths) => `^(${paths.join('|')})`

/** src/errors.ts and src/version.ts belong to everybody. */
const SHARED = ['src/errors\\.ts$', 'src/version\\.ts$']

/** `from` may import `to` of src/, itself and what is shared; nothing else of src/. */
const only = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: '\\.test\\.ts$' },
  to: { path: '^src/', pathNot: all(...SHARED, ...to) },
})

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: { pathNot: '^spec-tests/' },
      to: { couldNotResolve: true },
    },
    only('main', '^src/main\\.ts$', ['src/cli/'], 'main starts the command line and knows nothing else'),
    only('boot', '^src/(boot|quick-start)\\.ts$', ['src/quick-start\\.ts$'], 'boot loads the bundle by its file name'),
    only(
      'cli',
      '^src/cli/',
      [
        'src/cli/',
        'src/container/',
        'src/plan/',
        'src/spec/',
        'src/host/',
        'src/native/',
        'src/tables/',
        'src/planner/',
      ],
      'the command line stands on the library',
    ),
    only(
      'planner',
      '^src/planner/',
      ['src/planner/', 'src/cli/', 'src/plan/', 'src/host/', 'src/native/'],
      'the planner runs verbs for others',
    ),
    only(
      'shim',
      '^src/shim/',
      ['src/shim/', 'src/native/', 'src/planner/beside\\.ts$'],
      'the shim runs tsrunc as a program, as any engine does, and lends it a planner',
    ),
    only(
      'container',
      '^src/container/',
      ['src/container/', 'src/plan/', 'src/spec/', 'src/host/', 'src/native/', 'src/tables/'],
      'the library does not know the command line',
    ),
    only(
      'plan',
      '^src/plan/',
      ['src/plan/', 'src/spec/types\\.ts$', 'src/tables/', 'src/host/facts\\.ts$'],
      'plan is pure: types of the spec and of facts, tables, nothing that reads or does',
    ),
    only('spec', '^src/spec/', ['src/spec/', 'src/tables/'], 'spec alone reads config.json and knows no other part'),
    only('host', '^src/host/', ['src/host/'], 'host looks at the machine and at nothing else'),
    only('native', '^src/native/', ['src/native/', 'src/plan/seccomp\\.ts$'], 'native is the edge to C++'),
    {
      ...only('tables', '^src/tables/', ['src/tables/'], 'tables import nothing'),
      to: { path: '.', pathNot: '^src/tables/' },
    },
    {
      name: 'plan-is-pure',
      comment: 'no file, clock, process or network in plan, tables and the rules of the spec',
      severity: 'error',
      from: { path: '^src/(plan|tables|spec/(rules|json|schema))/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(path|util|buffer)(/posix)?$' },
    },
    {
      name: 'one-importer-of-the-addon',
      severity: 'error',
      from: { pathNot: '^src/native/binding\\.ts$' },
      to: { path: '\\.node$' },
    },
    {
      name: 'black-box',
      comment: 'spec-tests drive any runtime by its path and know no file of it',
      severity: 'error',
      from: { path: '^spec-tests/' },
      to: { path: '^(src|native|dist|build|tools|bench)/' },
    },
    {
      name: 'no-test-in-product',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '\\.test\\.ts$' },
    },
    {
      name: 'no-tools-in-product',
      severity: 'error',
      comment: "tests of the product read spec-tests' table of the specification's properties",
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(tools|bench|spec-tests)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
