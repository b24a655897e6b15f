import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Paths of the benchmark's own executables. */
export interface Programs {
  readonly floor: string
  readonly stopwatch: string
  readonly syscallNames: string
}

/** Path of the program that bench/layout.ts runs. */
export function buildSteps(): string {
  return compile('steps', folderOfPrograms(), ['-static'])
}

const FLAGS = ['-std=c++20', '-O2', '-Wall', '-Wextra', '-Werror', '-fno-exceptions', '-fno-rtti']

/** Compiles the C++ programs of this folder where they are missing or older than their source. */
export function buildPrograms(): Programs {
  const target = folderOfPrograms()
  return {
    // Static, as the measured executable is: the dynamic loader would be a quarter of the floor.
    floor: compile('floor', target, ['-static']),
    stopwatch: compile('stopwatch', target, ['-static']),
    syscallNames: compile('syscall_names', target, [], ['-lseccomp']),
  }
}

function folderOfPrograms(): string {
  const target = join(__dirname, '..', '.cache', 'bench')
  mkdirSync(target, { recursive: true })
  return target
}

function compile(name: string, folder: string, options: readonly string[], libraries: readonly string[] = []): string {
  const source = join(__dirname, `${name}.cc`)
  const program = join(folder, name)
  if (modified(program) <= modified(source)) {
    const [compiler = '', ...words] = (process.env['CXX'] ?? 'g++').split(' ')
    execFileSync(compiler, [...words, ...FLAGS, ...options, source, '-o', program, ...libraries], { stdio: 'inherit' })
  }
  return program
}

/** Milliseconds since the epoch; 0 for a file that does not exist. */
function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
