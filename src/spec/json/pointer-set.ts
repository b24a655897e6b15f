interface Node {
  readonly children: Map<string, Node>
  isMember: boolean
}

/** JSON pointers as paths of unescaped names, which can be asked what is within what. */
export class PointerSet {
  readonly #root: Node = { children: new Map(), isMember: false }

  add(path: readonly string[]): void {
    let node = this.#root
    for (const step of path) {
      const child = node.children.get(step) ?? { children: new Map(), isMember: false }
      node.children.set(step, child)
      node = child
    }
    node.isMember = true
  }

  has(path: readonly string[]): boolean {
    let node: Node | undefined = this.#root
    for (const step of path) node = node?.children.get(step)
    return node?.isMember ?? false
  }

  /** Whether a member is at the path, around it or within it. */
  touches(path: readonly string[]): boolean {
    let node: Node | undefined = this.#root
    for (const step of path) {
      if (node.isMember) return true
      node = node.children.get(step)
      if (node === undefined) return false
    }
    return node.isMember || node.children.size > 0
  }
}
