import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from '../../lib'
import { addBusybox } from '../../lib'
import { dynamicProgram, FOREIGN } from './elf'

/** One way in which a program cannot be executed. */
export interface Case {
  readonly what: string
  readonly setUp: (b: Bundle) => void
  /** What the message must say. */
  readonly says: readonly RegExp[]
  /** The status that Docker gives to its caller for the message: 127 not found, 126 cannot be invoked. */
  readonly docker?: 126 | 127
}

const program = (b: Bundle, content: string | Buffer, mode = 0o755): void => {
  writeFileSync(join(b.rootfs, 'program'), content)
  chmodSync(join(b.rootfs, 'program'), mode)
  b.config.process.args = ['/program']
}

const asUser = (b: Bundle): void => {
  b.config.process.user = { uid: 1000, gid: 1000 }
}

/** Copies the probe to `directory/tool`. */
const tool = (b: Bundle, directory: string, mode = 0o755): void => {
  b.directory(directory)
  program(b, '')
  symlinkSync('/bin/probe', join(b.rootfs, directory, 'tool'))
  chmodSync(join(b.rootfs, directory), mode)
}

const NOT_FOUND: readonly Case[] = [
  {
    what: 'a program without a slash that no directory of PATH has',
    setUp: (b) => {
      b.config.process.args = ['no-such-program', 'x']
    },
    says: [/"no-such-program"/, /executable file not found in \$PATH/],
    docker: 127,
  },
  {
    what: 'a program without a slash when PATH leads nowhere',
    setUp: (b) => {
      b.config.process.args = ['probe', 'report']
      b.config.process.env = ['PATH=/no/such:relative::/bin/probe']
    },
    says: [/"probe"/, /executable file not found in \$PATH/],
    docker: 127,
  },
  {
    what: 'a program with a slash that does not exist',
    setUp: (b) => {
      b.config.process.args = ['/bin/no-such-program']
    },
    says: [/"\/bin\/no-such-program"/, /no such file or directory/],
    docker: 127,
  },
  {
    what: 'a program relative to cwd that does not exist',
    setUp: (b) => {
      b.config.process.args = ['./no-such-program']
      b.config.process.cwd = '/bin'
    },
    says: [/"\.\/no-such-program"/, /no such file or directory/],
    docker: 127,
  },
  {
    what: 'an empty name',
    setUp: (b) => {
      b.config.process.args = ['']
    },
    says: [/executable file not found in \$PATH|no such file or directory/],
    docker: 127,
  },
  {
    what: 'a link to nowhere',
    setUp: (b) => {
      symlinkSync('/no/such/program', join(b.rootfs, 'program'))
      b.config.process.args = ['/program']
    },
    says: [/"\/program"/, /no such file or directory/],
    docker: 127,
  },
  {
    what: 'a script whose interpreter does not exist',
    setUp: (b) => program(b, '#!/bin/no-such-shell -e\ntrue\n'),
    says: [/"\/program"/, /no such file or directory/, /interpreter "\/bin\/no-such-shell"/],
    docker: 127,
  },
  {
    what: 'a script with Windows line endings',
    setUp: (b) => {
      addBusybox(b.rootfs)
      program(b, '#!/bin/sh\r\ntrue\r\n')
    },
    says: [/no such file or directory/, /interpreter "\/bin\/sh\\r"/, /Windows line endings/],
    docker: 127,
  },
  {
    what: 'a script whose interpreter is a script whose interpreter does not exist',
    setUp: (b) => {
      b.file('middle', '#!/bin/no-such-shell\n', 0o755)
      program(b, '#!/middle\n')
    },
    says: [/"\/program"/, /no such file or directory/],
    docker: 127,
  },
  {
    what: 'a dynamically linked program whose loader does not exist',
    setUp: (b) => program(b, dynamicProgram('/lib64/no-such-loader.so.2')),
    says: [/"\/program"/, /no such file or directory/, /"\/lib64\/no-such-loader\.so\.2"/],
    docker: 127,
  },
]

const NOT_PERMITTED: readonly Case[] = [
  {
    what: 'a file without execute permission',
    setUp: (b) => program(b, '#!/bin/sh\n', 0o644),
    says: [/"\/program"/, /permission denied/, /not executable|0?644/],
    docker: 126,
  },
  {
    what: 'a program in PATH that has no execute permission',
    setUp: (b) => {
      b.file('tools/tool', 'text', 0o644)
      b.config.process.env = ['PATH=/tools']
      b.config.process.args = ['tool']
    },
    says: [/tool"/, /permission denied|executable file not found in \$PATH/],
  },
  {
    what: 'a directory',
    setUp: (b) => {
      b.config.process.args = ['/etc']
    },
    says: [/"\/etc"/, /is a directory/],
    docker: 126,
  },
  {
    what: 'a device',
    setUp: (b) => {
      b.config.process.args = ['/dev/null']
    },
    says: [/"\/dev\/null"/, /permission denied/],
    docker: 126,
  },
  {
    what: 'a program on a mount with noexec',
    setUp: (b) => {
      b.directory('m')
      b.config.mounts.push({
        destination: '/m',
        type: 'bind',
        source: join(b.rootfs, 'bin'),
        options: ['bind', 'noexec'],
      })
      b.config.process.args = ['/m/probe']
    },
    says: [/"\/m\/probe"/, /permission denied/, /noexec/],
    docker: 126,
  },
  {
    what: "a program that only the container's root may execute",
    setUp: (b) => {
      program(b, '#!/bin/sh\n', 0o700)
      asUser(b)
    },
    says: [/"\/program"/, /permission denied/],
    docker: 126,
  },
  {
    what: 'a program in a directory that the user may not enter',
    setUp: (b) => {
      tool(b, 'private', 0o700)
      asUser(b)
      b.config.process.args = ['/private/tool']
    },
    says: [/"\/private\/tool"/, /permission denied/],
    docker: 126,
  },
  {
    what: 'a script whose interpreter has no execute permission',
    setUp: (b) => {
      b.file('shell', 'text', 0o644)
      program(b, '#!/shell\n')
    },
    says: [/"\/program"/, /permission denied/, /interpreter "\/shell"/],
    docker: 126,
  },
]

const NOT_A_PROGRAM: readonly Case[] = [
  {
    what: 'an empty file',
    setUp: (b) => program(b, ''),
    says: [/"\/program"/, /exec format error/, /empty/],
  },
  {
    what: 'a script without a #! line',
    setUp: (b) => {
      addBusybox(b.rootfs)
      program(b, 'echo ran\n')
    },
    says: [/"\/program"/, /exec format error/, /#!/],
  },
  {
    what: 'a program of another architecture',
    setUp: (b) => program(b, dynamicProgram('/lib/ld.so.1', FOREIGN.machine)),
    says: [/"\/program"/, /exec format error/, new RegExp(FOREIGN.name)],
  },
  {
    what: 'a program that ends within its header',
    setUp: (b) => program(b, dynamicProgram('/lib/ld.so.1').subarray(0, 20)),
    says: [/"\/program"/, /exec format error/],
  },
  {
    what: 'links in a circle',
    setUp: (b) => {
      symlinkSync('two', join(b.rootfs, 'one'))
      symlinkSync('one', join(b.rootfs, 'two'))
      b.config.process.args = ['/one']
    },
    says: [/"\/one"/, /too many levels of symbolic links/],
  },
  {
    what: 'a path through a file',
    setUp: (b) => {
      b.config.process.args = ['/bin/probe/program']
    },
    says: [/"\/bin\/probe\/program"/, /not a directory/],
  },
  {
    what: 'a name that is too long',
    setUp: (b) => {
      b.config.process.args = [`/${'n'.repeat(256)}`]
    },
    says: [/file name too long/],
  },
  {
    what: 'an argument that is too long',
    setUp: (b) => {
      b.config.process.args.push('x'.repeat(131072))
    },
    says: [/"\/bin\/probe"/, /argument list too long/],
  },
  {
    what: 'a working directory that is a file',
    setUp: (b) => {
      b.config.process.cwd = '/bin/probe'
    },
    says: [/\/bin\/probe/, /not a directory/, /cwd/],
  },
]

export const CASES: readonly Case[] = [...NOT_FOUND, ...NOT_PERMITTED, ...NOT_A_PROGRAM]

/** Makes the bundle's program one that cannot be executed. */
export const prepare = (b: Bundle, { setUp }: Case): void => {
  mkdirSync(join(b.rootfs, 'm'), { recursive: true })
  setUp(b)
  b.save()
}
