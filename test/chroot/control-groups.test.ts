import { expect } from 'chai'
import { makeGroups, planGroups } from '../../src/chroot/control-groups.js'
import { parseHierarchies } from '../../src/chroot/hierarchies.js'

const v2 = '31 23 0:27 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n'
const v1 = [
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
  '39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids',
  '40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd',
  '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
].join('\n')
const inService = '9:name=systemd:/\n8:pids:/jenkins\n4:memory:/jenkins/agent\n0::/\n'

describe('chroot: control groups', () => {
  it('go below our own with cgroup v1, one in each hierarchy', () => {
    const plan = planGroups(parseHierarchies(v1, inService), 'x', { memory: 1000, processes: 10 })
    expect(plan.groups).to.deep.equal([
      '/sys/fs/cgroup/memory/jenkins/agent/x',
      '/sys/fs/cgroup/pids/jenkins/x',
      '/sys/fs/cgroup/systemd/x',
    ])
    expect(plan.settings.map(({ file, text }) => [file, text])).to.deep.equal([
      ['/sys/fs/cgroup/memory/jenkins/agent/x/memory.limit_in_bytes', '1000'],
      ['/sys/fs/cgroup/memory/jenkins/agent/x/memory.memsw.limit_in_bytes', '1000'],
      ['/sys/fs/cgroup/pids/jenkins/x/pids.max', '18'],
    ])
  })

  it('find their place where only a part of the hierarchy is mounted', () => {
    const mounted = '35 31 0:32 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory'
    const { legacy } = parseHierarchies(mounted, '4:memory:/docker/1/agent\n')
    expect(legacy.get('memory')).to.equal('/sys/fs/cgroup/memory/agent')
  })

  it('go below a group without processes with cgroup v2, after the controllers were passed down', () => {
    const plan = planGroups(parseHierarchies(v2, '0::/system.slice/jenkins.service\n'), 'x', {
      memory: 1000,
      processes: 10,
    })
    expect(plan.parent).to.equal('/sys/fs/cgroup/treeswap')
    expect(plan.groups).to.deep.equal(['/sys/fs/cgroup/treeswap/x'])
    expect(plan.settings.map(({ file, text }) => [file, text])).to.deep.equal([
      ['/sys/fs/cgroup/cgroup.subtree_control', '+memory +pids'],
      ['/sys/fs/cgroup/treeswap/cgroup.subtree_control', '+memory +pids'],
      ['/sys/fs/cgroup/treeswap/x/memory.max', '1000'],
      ['/sys/fs/cgroup/treeswap/x/memory.swap.max', '0'],
      ['/sys/fs/cgroup/treeswap/x/pids.max', '18'],
    ])
  })

  it('are refused when a limit was asked for that nothing enforces', () => {
    const nothing = parseHierarchies('', '')
    expect(() => makeGroups(planGroups(nothing, 'x', { memory: 1000 })))
      .to.throw()
      .with.property('code', 'LIMITS_UNAVAILABLE')
    expect(() => makeGroups(planGroups(nothing, 'x', { processes: 9 })))
      .to.throw()
      .with.property('code', 'LIMITS_UNAVAILABLE')
    expect(makeGroups(planGroups(nothing, 'x', { seconds: 9 }))).to.deep.equal([])
  })
})
