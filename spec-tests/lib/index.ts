/** What a suite needs; it imports nothing else of lib/ unless it is about that. */
export { deepEqual, doesNotMatch, equal, fail, match, notEqual, ok, throws } from 'node:assert/strict'
export type { AnswersTo, Command, Report } from './answers'
export { loadProfile } from './apparmor'
export { doesNotInclude, includes } from './assertions'
export { addBusybox, type Bundle, bundle, makeRootfs, type State } from './bundle'
export { cgroupDirectory, cgroupsNamed, cgroupVersion, hierarchyOf, ownCgroup, readCgroup } from './cgroups'
export {
  checkpoint,
  count,
  counting,
  countsBeyond,
  criuTracksMemory,
  images,
  launchRestore,
  requiresCriu,
  saveAndRestore,
  TICKER,
  tryRestore,
} from './checkpoint'
export {
  bad,
  type Config,
  digits,
  encodeConfig,
  type HookName,
  type IdMapping,
  type Mount,
  type NamespaceType,
  type Resources,
  type Seccomp,
  type SeccompRule,
} from './config'
export { consoleSocket, onTerminal } from './console'
export { denies, outerFilters, undenied } from './denial'
export { descriptorsOf, givesDescriptors, inherited } from './descriptors'
export { coldTest, type TestOptions, test } from './harness'
export { copyOfRuntime } from './installation'
export { isAlive } from './leftovers'
export { isMounted, mountAt, parseMountinfo } from './mountinfo'
export { linksOf, type NetworkLink, NetworkNamespace, networkNamespace } from './network'
export { deny, exchanger, faultAt, killAt, notifyTool, orphanTool, pidfdTool, probeProgram, swapMade } from './programs'
export { softwareRdmaDevice } from './rdma'
export { apparmorEnabled, hasCapability, requires, requiresController, requiresThat, selinuxEnabled } from './requires'
export { type FakeResctrl, fakeResctrl } from './resctrl'
export { runtime } from './runtime'
export {
  callRuntime,
  launch,
  launchRuntime,
  leftSoFar,
  plansCold,
  runtimeEnvironment,
  sandbox,
  scratch,
  startPlanner,
  uniqueName,
} from './sandbox'
export { hostileAgent, type ReceivedListener, type SeccompAgent, seccompAgent } from './seccomp-agent'
export { delay, eventually, expectStatus, type Outcome, type Running } from './spawn'
