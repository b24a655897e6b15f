import { execFileSync, spawnSync } from 'node:child_process'
import { requiresThat } from './requires'
import { sandbox } from './sandbox'

let count = 0

/**
 * Makes an RDMA device that is all software (rdma_rxe, RDMA over Ethernet), on a network device that nothing uses. Both
 * are gone after the test, which is skipped where the kernel or iproute2 cannot do it.
 *
 * @returns its name
 */
export const softwareRdmaDevice = (): string => {
  const suffix = `${process.pid % 100_000}${count++}`
  const [network, device] = [`rxn${suffix}`, `rxe${suffix}`]
  requiresThat(
    spawnSync('modprobe', ['rdma_rxe']).status === 0 && spawnSync('rdma', ['-V']).status === 0,
    'the module rdma_rxe and the program rdma',
  )
  execFileSync('ip', ['link', 'add', network, 'type', 'dummy'])
  sandbox().undo.push(() => execFileSync('ip', ['link', 'delete', network]))
  execFileSync('rdma', ['link', 'add', device, 'type', 'rxe', 'netdev', network])
  sandbox().undo.push(() => execFileSync('rdma', ['link', 'delete', device]))
  return device
}
