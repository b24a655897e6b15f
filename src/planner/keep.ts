/**
 * Plans that are kept in files (native/launcher/kept_plans.h): what calls without a planner ask for again and again is planned
 * once more, for another command line, to see what of the plan comes from it.
 */
import { NO_MEMORY } from '../host/memory'
import { binding, SECCOMP_ADDON, seccompBinding } from '../native/binding'
import { seccompCompiler } from '../native/seccomp-compiler'
import { type CompilerOf, planRequest } from './plan-request'
import { encodeReply, REQUEST_HEADER, type Reply, type Request, readRequest, readRequestHeader } from './protocol'
import { keptPlan } from './repeats'

/**
 * Keep the plan of a request of this very process for later ones, if it is to be had without planning. It is no error where
 * it is not: later calls are planned, as this one.
 *
 * @param root directory of all containers' state
 */
export async function keepForLater(root: string, message: Buffer): Promise<void> {
  const facts = binding().keptFacts()
  if (facts === undefined) return
  const compilers = new Set<string>()
  const compilerOf: CompilerOf = (root) => {
    const compile = seccompCompiler(root, true)
    return (request) => {
      compilers.add(SECCOMP_ADDON).add(seccompBinding().library)
      return compile(request)
    }
  }
  const plan = (request: Request): Promise<Reply> =>
    planRequest(request, process.pid, request.answers, { memory: NO_MEMORY, compilerOf })
  const request = readRequest(readRequestHeader(message), message.subarray(REQUEST_HEADER))
  const reply = await plan(request)
  if (reply.kind !== 'plan' || reply.repeats === undefined) return
  const found = await keptPlan(message, request, reply.repeats, encodeReply(reply), plan)
  if (found !== undefined && found !== 'never') binding().keepInFile(root, found, [...compilers], facts)
}
