/** src/ becomes a few files of plain JavaScript. */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build, type Plugin } from 'esbuild'

const ROOT = join(__dirname, '..')

/** The commit that is built, or '' where git does not know. */
function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return ''
  }
}

function version(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version
}

const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // require() instead: a vm.Script has no import().
  supported: { 'dynamic-import': false },
  minifySyntax: true,
  minifyWhitespace: true,
  // Escapes keep the file plain ASCII, so that V8 keeps it in one byte a character.
  charset: 'ascii',
  logLevel: 'warning',
} as const

/** Sources that are imported dynamically become files of their own, so that nobody reads them without need. */
function dynamicImports(found: Map<string, string>): Plugin {
  return {
    name: 'dynamic-imports',
    setup(build) {
      build.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined
        const name = basename(path)
        found.set(name, join(resolveDir, `${path}.ts`))
        return { path: `./${name}.js`, external: true }
      })
    },
  }
}

/**
 * Writes main.js (src/boot.ts), bundle.js (src/main.ts and what it imports statically) and a file for each dynamic import
 * into `directory`. `dist`: the expression that finds the directory at run time.
 */
export async function bundle(directory: string, dist = '__dirname'): Promise<void> {
  rmSync(directory, { recursive: true, force: true })
  const found = new Map<string, string>()
  const common = {
    ...COMMON,
    define: { TSRUNC_VERSION: JSON.stringify(version()), TSRUNC_COMMIT: JSON.stringify(commit()), TSRUNC_DIST: dist },
    plugins: [dynamicImports(found)],
  }
  await build({
    ...common,
    entryPoints: ['src/main.ts'],
    outfile: join(directory, 'bundle.js'),
    // The function that src/boot.ts calls.
    banner: { js: '(function(require,module,exports,__dirname){' },
    footer: { js: '})' },
  })
  // A program of its own: containerd's shim stays, and holds nothing that only a call of tsrunc needs.
  await build({ ...common, entryPoints: { shim: 'src/shim/main.ts' }, outdir: directory })
  const written = new Set<string>()
  for (let next = [...found]; next.length > 0; next = [...found].filter(([name]) => !written.has(name))) {
    for (const [name] of next) written.add(name)
    await build({ ...common, entryPoints: Object.fromEntries(next), outdir: directory })
  }
  await build({ ...COMMON, entryPoints: ['src/boot.ts'], outfile: join(directory, 'main.js') })
}
