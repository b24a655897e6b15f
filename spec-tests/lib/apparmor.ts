import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { sandbox, scratch, uniqueName } from './sandbox'

const ALLOWED = 'file, capability, network, mount, umount, remount, pivot_root, signal, unix, ptrace, dbus,'

/** Loads a profile that allows everything but what `rules` say (apparmor.d(5)), until the end of the test. Its name. */
export const loadProfile = (rules: string): string => {
  const name = uniqueName()
  const path = scratch(`${name}.profile`)
  writeFileSync(path, `profile ${name} flags=(attach_disconnected,mediate_deleted) { ${ALLOWED} ${rules} }\n`)
  execFileSync('/sbin/apparmor_parser', ['--add', '--skip-cache', path])
  sandbox().undo.push(() => execFileSync('/sbin/apparmor_parser', ['--remove', path]))
  return name
}
