/** What containerd's configuration says of the runtime: runc's options, by themselves or in the wrapping of the CRI and Docker. */
import { basename } from 'node:path'
import { ShimError } from './errors'
import { type Any, type RuncOptions, RuncOptions as RuncOptionsTable, RuntimeOptions } from './messages'
import { decode } from './wire'

export interface Options {
  /** Where containers are kept, without the namespace. */
  readonly root: string
  readonly systemdCgroup: boolean
  readonly noPivotRoot: boolean
  readonly noNewKeyring: boolean
  readonly criuImagePath: string
  readonly criuWorkPath: string
}

export const DEFAULT_ROOT = '/run/containerd/tsrunc'

const typeOf = ({ type_url }: Any): string => type_url.slice(type_url.lastIndexOf('/') + 1)

const SNAKE = /_/g
const plain = (name: string): string => name.toLowerCase().replace(SNAKE, '')

/**
 * The flat part of TOML in which the CRI and Docker hand options over: `Name = value`, value a string, number or boolean. What
 * is not of this form has no option of ours in it.
 */
function readToml(text: string): Map<string, string | number | boolean> {
  const found = new Map<string, string | number | boolean>()
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*"?([A-Za-z_]+)"?\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (name === undefined || value === undefined) continue
    if (/^'.*'$/.test(value)) found.set(plain(name), value.slice(1, -1))
    else if (/^"(?:[^"\\]|\\.)*"$/.test(value)) found.set(plain(name), JSON.parse(value) as string)
    else if (value === 'true' || value === 'false') found.set(plain(name), value === 'true')
    else if (/^\d+$/.test(value)) found.set(plain(name), Number(value))
  }
  return found
}

function ofToml(text: string): RuncOptions {
  const found = readToml(text)
  const options: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(RuncOptionsTable)) {
    const zero = field.zero()
    const value = found.get(plain(name))
    if (value !== undefined && typeof value !== typeof zero) {
      throw new ShimError('invalidArgument', `runtime option ${name}: ${JSON.stringify(value)} is no ${typeof zero}`)
    }
    options[name] = value ?? zero
  }
  return options as RuncOptions
}

function readRuncOptions(any: Any): RuncOptions {
  const type = typeOf(any)
  if (type === 'containerd.runc.v1.Options') return decode(RuncOptionsTable, any.value)
  if (type !== 'runtimeoptions.v1.Options') {
    throw new ShimError('invalidArgument', `runtime options of type ${JSON.stringify(any.type_url)} are unknown`)
  }
  const { config_path, config_body } = decode(RuntimeOptions, any.value)
  if (config_path !== '') {
    throw new ShimError(
      'unimplemented',
      `runtime option ConfigPath ${JSON.stringify(config_path)}: no file is read, give the options themselves`,
    )
  }
  return ofToml(Buffer.from(config_body).toString('utf8'))
}

/** @throws ShimError what is asked for and cannot be done */
export function readOptions(any: Any | undefined): Options {
  const given =
    any === undefined || any.type_url === '' ? decode(RuncOptionsTable, new Uint8Array()) : readRuncOptions(any)
  if (given.shim_cgroup !== '') {
    throw new ShimError(
      'unimplemented',
      'runtime option ShimCgroup: one process serves all containers, it is in containerd’s cgroup',
    )
  }
  if (given.binary_name !== '' && basename(given.binary_name) !== 'tsrunc') {
    throw new ShimError(
      'invalidArgument',
      `runtime option BinaryName ${JSON.stringify(given.binary_name)}: this shim runs tsrunc alone`,
    )
  }
  if (given.task_api_address !== '') {
    throw new ShimError('unimplemented', 'runtime option TaskApiAddress: tasks are served by the shim itself')
  }
  return {
    root: given.root === '' ? DEFAULT_ROOT : given.root,
    systemdCgroup: given.systemd_cgroup,
    noPivotRoot: given.no_pivot_root,
    noNewKeyring: given.no_new_keyring,
    criuImagePath: given.criu_image_path,
    criuWorkPath: given.criu_work_path,
  }
}
