/** The versions of the specification that a config.json may have; `features` states them. */
export const OCI_VERSION_MIN = '1.0.0'
export const OCI_VERSION_MAX = '1.3.0'
