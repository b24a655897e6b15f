/** npm run build:ts: src/ becomes dist/bundle.js, and dist/main.js that starts it. */
import { join } from 'node:path'
import { bundle } from './bundle'

bundle(join(__dirname, '..', 'dist')).catch((error: Error) => {
  process.stderr.write(`tools/build.ts: ${error.message}\n`)
  process.exitCode = 1
})
