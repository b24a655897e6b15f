import { JsonError, parseExact } from './exact'
import { fromPointer } from './pointer'

/** Where a value stands, by offsets in UTF-16 code units from 0. */
export interface Place {
  readonly offset: number
  /** Of the quote that begins the value's name; undefined for an element and for the document. */
  readonly nameOffset: number | undefined
}

interface Node {
  readonly children: Map<string, Node>
  place: Place | undefined
}

const newNode = (): Node => ({ children: new Map(), place: undefined })

function treeOf(pointers: Iterable<string>): Node {
  const root = newNode()
  for (const pointer of pointers) {
    let node = root
    for (const step of fromPointer(pointer)) {
      const child = node.children.get(step) ?? newNode()
      node.children.set(step, child)
      node = child
    }
  }
  return root
}

/** The place at the pointer, or else of the nearest value around it that there is. */
function nearestPlace(root: Node, pointer: string): Place {
  let node: Node | undefined = root
  let place = root.place
  for (const step of fromPointer(pointer)) {
    node = node?.children.get(step)
    place = node?.place ?? place
  }
  return place ?? { offset: 0, nameOffset: undefined }
}

/**
 * Where the values of JSON pointers stand; for one that is not there, as a missing property, the nearest value around it.
 * Reads the text once, however many pointers there are. A text with a fault has the places before it.
 */
export function locateAll(text: string, pointers: readonly string[]): readonly Place[] {
  const root = treeOf(pointers)
  /** The nodes of the path that is being read. */
  const nodes: (Node | undefined)[] = [root]
  try {
    parseExact(text, {
      value: (path, offset, nameOffset) => {
        const depth = path.length
        const node = depth === 0 ? root : nodes[depth - 1]?.children.get(String(path[depth - 1]))
        nodes[depth] = node
        if (node !== undefined) node.place = { offset, nameOffset }
      },
      duplicate: () => {},
    })
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
  }
  return pointers.map((pointer) => nearestPlace(root, pointer))
}
