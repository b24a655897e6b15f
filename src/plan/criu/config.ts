/** The annotation of runc and crun: a file with options of CRIU. */
export const CRIU_CONFIG = 'org.criu.config'

/** Files that are read where the annotation is not given: ours, then what runc reads. */
const DEFAULTS = ['/etc/criu/tsrunc.conf', '/etc/criu/runc.conf']

/** The file with options of CRIU, or ''. */
export const criuConfig = (annotation: string | undefined, exists: (path: string) => boolean): string =>
  annotation ?? DEFAULTS.find(exists) ?? ''
