/** What the report needs of the suite's results. */
export { expectationOf, type Results } from './compare'
export { isForThisHost } from './expected'
