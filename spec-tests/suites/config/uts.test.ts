import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { bundle, equal, test } from '../../lib'

test("config.md#hostname [UTS-1a]: hostname specifies the container's hostname as seen by processes running inside the container", async () => {
  const b = await bundle((c) => {
    c.hostname = 'a-name.example'
  })
  equal((await b.report()).hostname, 'a-name.example')
})

test('config.md#hostname [UTS-1a]: the host keeps its own name', async () => {
  const before = hostname()
  const b = await bundle((c) => {
    c.hostname = 'another'
  })
  await b.run()
  equal(hostname(), before)
})

test('config.md#hostname [UTS-1a]: a name of 64 characters, the most that the kernel takes', async () => {
  const b = await bundle((c) => {
    c.hostname = 'h'.repeat(64)
  })
  equal((await b.report()).hostname, 'h'.repeat(64))
})

test('config.md#hostname [UTS-1a]: without it a new UTS namespace has the name of the host', async () => {
  const b = await bundle((c) => {
    delete c.hostname
  })
  equal((await b.report()).hostname, hostname())
})

test("config.md#domainname [UTS-2a]: domainname specifies the container's domainname as seen by processes running inside the container", {
  peers: { runc: '1.1 does not know domainname' },
}, async () => {
  const before = readFileSync('/proc/sys/kernel/domainname', 'utf8')
  const b = await bundle((c) => {
    c.domainname = 'a-domain.example'
  })
  equal((await b.report()).domainname, 'a-domain.example')
  equal(readFileSync('/proc/sys/kernel/domainname', 'utf8'), before)
})

test('config.md#hostname [UTS-1b]: with a UTS namespace of the host the runtime must refuse to set it', async () => {
  const b = await bundle((c) => {
    c.linux.namespaces = c.linux.namespaces.filter((namespace) => namespace.type !== 'uts')
  })
  await b.refused(/hostname|uts/i)
})
