import { endProcess } from './cli/end-process'
import { runCommandLine } from './cli/run-command-line'

runCommandLine(process.argv.slice(2)).then(endProcess)
