import { rulesOf } from './requirement'

/** The bundle, what holds for each property, and the properties that belong to no larger part. */
export const GENERAL = [
  ...rulesOf('bundle.md#container-format', [
    ['BUN-1a', 'MUST', 'The configuration is the file config.json at the top of the bundle.'],
    ['BUN-1b', 'ERROR', 'config.json is missing, cannot be read, or holds no JSON object.'],
  ]),
  ...rulesOf('glossary.md#json', [
    ['GEN-5a', 'MUST', 'JSON is UTF-8.'],
    ['GEN-5b', 'ERROR', 'One JSON object holds the same name twice.'],
    ['GEN-6', 'MUST', 'Numbers of 64 bits keep their exact value.'],
  ]),
  ...rulesOf('config.md#specification-version', [
    ['GEN-10a', 'MUST', 'ociVersion is a version of SemVer 2.0.0; each 1.x up to the own one is taken.'],
    ['GEN-10b', 'ERROR', 'ociVersion is absent, no SemVer 2.0.0, or of another major version.'],
  ]),
  ...rulesOf('config.md#extensibility', [
    ['GEN-1', 'MUST', 'Properties and annotations that the runtime does not know are ignored.'],
  ]),
  ...rulesOf('config.md#valid-values', [
    ['GEN-2', 'ERROR', 'A known property has a value that is not valid or cannot be applied.'],
  ]),
  ...rulesOf('config.md#platform-specific-configuration', [
    ['PLT-1', 'MUST', 'Sections of other platforms change nothing.'],
  ]),
  ...rulesOf('config.md#root', [
    ['ROOT-1', 'ERROR', 'root is absent.'],
    ['ROOT-2a', 'MUST', 'root.path is absolute, or relative to the bundle.'],
    ['ROOT-2b', 'ERROR', 'root.path is absent, or no directory is there.'],
    ['ROOT-3a', 'MUST', 'With root.readonly the root file system cannot be written inside of the container.'],
    ['ROOT-3b', 'MUST', 'Without root.readonly it can.'],
  ]),
  ...rulesOf('config.md#hostname', [
    ['UTS-1a', 'MUST', 'hostname is what processes in the container see.'],
    ['UTS-1b', 'CALLERS', 'A hostname is refused where the container has no UTS namespace of its own.'],
  ]),
  ...rulesOf('config.md#domainname', [
    ['UTS-2a', 'MUST', 'domainname is what processes in the container see.'],
    ['UTS-2b', 'CALLERS', 'A domainname is refused where the container has no UTS namespace of its own.'],
  ]),
  ...rulesOf('config.md#annotations', [
    ['ANN-1a', 'MUST', 'annotations is a map of strings; the state and the hooks show it.'],
    ['ANN-1b', 'ERROR', 'A key of annotations is empty, or a value is no string.'],
    ['ANN-1c', 'SHOULD', 'org.opencontainers.image.stopSignal is the signal of a kill that names none.'],
    ['ANN-2', 'CALLERS', 'The annotations by which engines ask crun for more do what they say.'],
  ]),
]
