/** Written in by tools/build.ts from package.json and git. */
declare const TSRUNC_VERSION: string
declare const TSRUNC_COMMIT: string

export const VERSION: string = TSRUNC_VERSION
/** The commit that was built, or '' outside of a git tree. */
export const COMMIT: string = TSRUNC_COMMIT
