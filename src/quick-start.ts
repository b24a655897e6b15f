/** How node begins sooner for a call that is short (native/launcher/quick_start.h; docs/ARCHITECTURE.md, "A call that is short"). */

/**
 * V8 keeps the key for hashing names that node's own file has, instead of drawing one and giving each name of that file another
 * place: names that collide can be chosen, which is why only short calls are begun so. Room for young objects that such a call does not
 * fill, so that none are collected. And the launcher has followed the links to dist/main.js.
 */
export const QUICK_OPTIONS: readonly string[] = [
  '--no-rehash-snapshot',
  '--min-semi-space-size=4',
  '--preserve-symlinks-main',
]

/** V8 refuses code that was compiled under other options than its own. `execArgv`: node's options. */
export function cacheName(execArgv: readonly string[]): string {
  return QUICK_OPTIONS.every((option) => execArgv.includes(option)) ? 'bundle.quick.cache' : 'bundle.cache'
}
