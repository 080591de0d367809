import { expect } from 'chai'
import { readOnlyOverlay, rootPaths, scratchPlace, writableOverlay } from '../../src/chroot/layout.js'
import { containerCommand } from '../../src/chroot/nspawn-command.js'
import type { RunRequest } from '../../src/chroot/requests.js'

function args(more: Partial<RunRequest> = {}, cgroupProcs: string[] = [], terminal = false): string[] {
  const request = { argv: ['/bin/true'], env: {}, binds: [], network: false, limits: {}, ...more }
  const { file, args } = containerCommand({
    uidBase: 589_824,
    overlay: writableOverlay([1, 2, 5], 'run'),
    mountPoint: 'run/merged',
    cgroupProcs,
    request,
    binds: request.binds.map((bind) => ({ ...bind, identity: '8:1' })),
    terminal,
  })
  return [file, ...args]
}

/** What systemd-nspawn itself is called with. */
function nspawn(...parameters: Parameters<typeof args>): string[] {
  const all = args(...parameters)
  return all.slice(all.indexOf('systemd-nspawn'))
}

describe('chroot: the container command line', () => {
  it('dies with its caller, processes and mounts included', () => {
    const all = args()
    expect(all.slice(0, 4)).to.deep.equal(['setpriv', '--pdeathsig', 'KILL', 'unshare'])
    expect(all).to.include.members(['--mount', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'])
    expect(all[all.indexOf('--propagation') + 1]).to.equal('private')
  })

  it('maps only the uids of the root, and chowns nothing', () => {
    expect(nspawn()).to.include.members(['--private-users=589824:65536', '--private-users-ownership=off'])
  })

  it('gives the network of the host only on request', () => {
    expect(nspawn()).to.include.members(['--private-network', '--resolv-conf=off'])
    expect(nspawn({ network: true })).to.include('--resolv-conf=bind-host')
    expect(nspawn({ network: true })).not.to.include('--private-network')
  })

  it('names to nspawn only places that it mounted itself, and escapes what separates the parts of a bind', () => {
    const binds = [
      { source: '/a:b', target: '/c\\d', writable: false },
      { source: '/out', target: '/out', writable: true },
    ]
    const all = args({ binds })
    const place = '/run/systemd/nspawn/treeswap-bind-'
    expect(nspawn({ binds })).to.include.members([`--bind-ro=${place}0:/c\\\\d`, `--bind=${place}1:/out`])
    const overlay = all.indexOf(writableOverlay([1, 2, 5], 'run'))
    expect(all.slice(overlay + 1, overlay + 9)).to.deep.equal([
      'run/merged',
      '8:1',
      '/a:b',
      '/c\\d',
      '8:1',
      '/out',
      '/out',
      '--',
    ])
    expect(nspawn({ binds }).join(' ')).not.to.include('/a:b')
  })

  it('passes the program and the environment as they are, after everything that is an option', () => {
    const command = nspawn({ argv: ['--help', '$(id)', 'a b'], env: { A: '$HOME `id`' } })
    expect(command.slice(command.indexOf('--'))).to.deep.equal(['--', '--help', '$(id)', 'a b'])
    expect(command).to.include('--setenv=A=$HOME `id`')
  })

  it('runs one constant script, whatever the request is', () => {
    const script = (all: string[]) => all[all.indexOf('sh') + 2]
    const strange = {
      argv: ['"; id'],
      env: { X: "'; id" },
      binds: [{ source: '/$(id)', target: '/x', writable: true }],
    }
    expect(script(args(strange, ['/sys/fs/cgroup/x/cgroup.procs']))).to.equal(script(args()))
  })

  it('enters its control groups before anything else', () => {
    const all = args({}, ['/sys/fs/cgroup/memory/x/cgroup.procs', '/sys/fs/cgroup/pids/x/cgroup.procs'])
    const start = all.indexOf('treeswap-container')
    expect(all.slice(start + 1, start + 5)).to.deep.equal([
      '/sys/fs/cgroup/memory/x/cgroup.procs',
      '/sys/fs/cgroup/pids/x/cgroup.procs',
      '--',
      writableOverlay([1, 2, 5], 'run'),
    ])
  })

  it('asks for a terminal only where there is one', () => {
    expect(nspawn({ interactive: true }, [], true)).to.include('--console=interactive')
    expect(nspawn({ interactive: true }, [], false)).to.include('--console=pipe')
    expect(nspawn({}, [], true)).to.include('--console=pipe')
  })
})

describe('chroot: overlay options', () => {
  it('stack the newest layer on top', () => {
    expect(writableOverlay([1, 2, 5], 'scratch/7')).to.match(
      /^lowerdir=layers\/5:layers\/2:layers\/1,upperdir=scratch\/7\/upper,workdir=scratch\/7\/work,/,
    )
    expect(readOnlyOverlay([1, 2])).to.match(/^ro,lowerdir=layers\/2:layers\/1,/)
  })

  it('fit into mount(2), and each into one value of fsconfig(2), after a million commits with a million sessions', () => {
    const layers = Array.from({ length: 9 }, (_, index) => 1_000_000 + index)
    const { name } = scratchPlace(rootPaths('/builder/chroots', 'r'.repeat(64)), 1_000_000)
    const options = writableOverlay(layers, name)
    expect(options.length).to.be.below(4096)
    for (const option of options.split(',')) expect(option.replace(/^[^=]*=/, '').length, option).to.be.below(256)
  })
})
