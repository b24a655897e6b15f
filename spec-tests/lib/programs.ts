import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { REPOSITORY } from './config'
import { runtime } from './runtime'

const SOURCES = join(REPOSITORY, 'spec-tests')
const CACHE = join(REPOSITORY, 'build', 'spec-tests')
const FLAGS = ['-std=c++20', '-static', '-O2', '-Wall', '-Wextra', '-Werror', '-pthread']

/** Compiles the sources into a static program, once for each content; two runs at the same time do no harm. */
const build = (name: string, files: readonly string[], defined: readonly string[]): string => {
  const flags = [...FLAGS, ...defined]
  const hash = createHash('sha256').update(flags.join(' '))
  for (const file of files) {
    hash.update(file).update(readFileSync(file))
  }
  const program = join(CACHE, hash.digest('hex').slice(0, 16), name)
  if (!existsSync(program)) {
    mkdirSync(join(program, '..'), { recursive: true })
    const scratch = mkdtempSync(join(CACHE, 'compile-'))
    const sources = files.filter((file) => file.endsWith('.cc'))
    // As make takes it: a compiler, or what starts one, with words of its own.
    const [compiler = '', ...words] = (process.env['CXX'] ?? 'g++').split(' ')
    execFileSync(compiler, [...words, ...flags, '-o', join(scratch, name), ...sources], { stdio: 'inherit' })
    renameSync(join(scratch, name), program)
    rmSync(scratch, { recursive: true })
  }
  return program
}

const built = new Map<string, string>()

const once = (name: string, files: () => readonly string[], defined: readonly string[] = []): string => {
  const path = built.get(name) ?? build(name, files(), defined)
  built.set(name, path)
  return path
}

const probeSources = (): string[] =>
  readdirSync(join(SOURCES, 'probe'))
    .filter((file) => /\.(cc|h)$/.test(file))
    .sort()
    .map((file) => join(SOURCES, 'probe', file))

/** The program that runs inside of containers. Of runtimes that are known to hand on descriptors it is silent about them. */
export const probeProgram = (): string =>
  once('probe', probeSources, runtime().name === 'tsrunc' ? ['-DPROBE_AUDIT'] : [])

/** The far end of a terminal. */
export const ptyTool = (): string => once('ptytool', () => [join(SOURCES, 'tools', 'ptytool.cc')])

/** Runs a program and adopts what it leaves behind. */
export const reapTool = (): string => once('reap', () => [join(SOURCES, 'tools', 'reap.cc')])

/** Ends a program at a chosen system call. */
export const killAt = (): string => once('killat', () => [join(SOURCES, 'tools', 'killat.cc')])

const traced = (file: string): string[] => [file, 'traced_command.h'].map((name) => join(SOURCES, 'tools', name))

/** Ends a program when it has made a process, before that does anything. */
export const orphanTool = (): string => once('orphan', () => traced('orphan.cc'))

/** Puts something else into the place of a directory that a program has just made. */
export const swapMade = (): string => once('swapmade', () => traced('swapmade.cc'))

/** Runs a program for which system calls fail. */
export const deny = (): string => once('deny', () => [join(SOURCES, 'tools', 'deny.cc')])

/** Lets a chosen system call fail, or ends the process there. */
export const faultAt = (): string => once('faultat', () => [join(SOURCES, 'tools', 'faultat.cc')])

/** Receives seccomp listeners. */
export const seccompAgentTool = (): string => once('seccompagent', () => [join(SOURCES, 'tools', 'seccompagent.cc')])

/** A file system that behaves like resctrl. */
export const fakeResctrlProgram = (): string => once('fakeresctrl', () => [join(SOURCES, 'tools', 'fakeresctrl.cc')])

/** Is told that a service is ready, or what to log. */
export const notifyTool = (): string => once('notifytool', () => [join(SOURCES, 'tools', 'notifytool.cc')])

/** Is sent a pidfd. */
export const pidfdTool = (): string => once('pidfdtool', () => [join(SOURCES, 'tools', 'pidfdtool.cc')])

/** Makes a system call of i386. */
export const callOfI386 = (): string => once('i386call', () => [join(SOURCES, 'tools', 'i386call.cc')])

/** Exchanges two paths for ever. */
export const exchanger = (): string => once('exchange', () => [join(SOURCES, 'tools', 'exchange.cc')])
