/**
 * One word of mounts[].options as the options it holds, joined by commas as on the command line of mount(8). A comma
 * behind a backslash belongs to the value (overlayfs), so does one before a digit (tmpfs: mpol=bind:0,2) and one within
 * double quotes (mount(8): context="…:s0:c1,c2"). fsconfig(2) takes an SELinux context without its quotes.
 */
export const splitData = (word: string): readonly string[] =>
  (word.match(/(?:\\.|"[^"]*"|,(?=\d)|[^,])+/gs) ?? []).map((part) =>
    part.replace(/^((?:fs|def|root)?context)="(.*)"$/s, '$1=$2'),
  )
