import { leaveTrace } from '../host/trace'
import { OWN_VIEW } from '../host/view'
import { binding, EXECUTABLE } from '../native/binding'
import { lockContainer } from '../native/container-lock'
import { seccompCompiler } from '../native/seccomp-compiler'
import type { Engine } from './engine'
import { noLauncher } from './native-verb'
import { printOut } from './output'
import type { Call } from './verb'

/** The process that tsrunc was and will be again. */
export function ownEngine({ argv, handoff }: Pick<Call, 'argv' | 'handoff'>): Engine {
  return {
    view: OWN_VIEW,
    begin() {
      if (handoff === undefined) throw noLauncher()
      binding().beginHandOff(EXECUTABLE)
    },
    lock: lockContainer,
    seccompCompiler,
    print: printOut,
    run(plan) {
      if (handoff === undefined) throw noLauncher()
      binding().handOff(EXECUTABLE, handoff.fd, plan, ['tsrunc', ...argv], leaveTrace())
    },
  }
}
