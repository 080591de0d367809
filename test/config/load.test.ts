import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadConfig, parseConfig } from '../../src/config/load.js'
import { configJsonSchema } from '../../src/config/schema.js'
import { refusal } from '../lab/refusal.js'

const FILE = '/etc/treeswap/treeswap.yaml'

const complete = `schema: 1
publisher:
  root: ../../srv/treeswap
  rsync: rsync://pkgs.example.org:8730/
  http: https://pkgs.example.org/gentoo/
  grace: 6h
builder:
  directory: /var/lib/treeswap
  artifacts: dir:/var/lib/archive
  full-every: 3
chroots:
  database: { from: stage3.tar.xz }
repos:
  gentoo: { url: 'https://git.example.org/gentoo.git', branch: stable, poll: 6h }
  overlay: { url: 'git@git.example.org:overlay.git' }
machines:
  database:
    profile: { url: ./profiles, branch: main, path: machines/database }
    repos: [overlay, gentoo]
    target: ['@world', sys-apps/hello]
    emerge: ['--update']
    after: []
    network: true
    unpackaged: rebuild
    limits: { memory: 8G, processes: 512, time: 90m }
    poll: 30s
`

const minimal = `schema: 1
repos:
  gentoo: { url: /srv/git/gentoo }
machines:
  web: { profile: { url: /srv/git/web }, repos: [gentoo] }
`

function faultsOf(text: string): string {
  return refusal(() => parseConfig(text, FILE)).message
}

describe('configuration', () => {
  it('reads every field, in seconds and bytes, with paths that start at the file', () => {
    const config = parseConfig(complete, FILE)
    expect(config.publisher).to.deep.equal({
      root: '/srv/treeswap',
      rsync: 'rsync://pkgs.example.org:8730',
      http: 'https://pkgs.example.org/gentoo',
      graceSeconds: 21_600,
    })
    expect(config.builder).to.deep.equal({
      directory: '/var/lib/treeswap',
      artifacts: 'dir:/var/lib/archive',
      fullEvery: 3,
      rootProgram: ['/usr/local/sbin/treeswap-root'],
    })
    expect(config.chroots.get('database')).to.deep.equal({ name: 'database', from: '/etc/treeswap/stage3.tar.xz' })
    expect(config.repos.get('overlay')).to.deep.equal({
      name: 'overlay',
      url: 'git@git.example.org:overlay.git',
      branch: undefined,
      pollSeconds: 900,
      chroot: 'database',
      schedule: 'H/15 * * * *',
    })
    expect(config.machines.get('database')).to.deep.equal({
      name: 'database',
      profile: { url: '/etc/treeswap/profiles', branch: 'main', path: 'machines/database' },
      repos: ['overlay', 'gentoo'],
      mainRepo: 'gentoo',
      chroot: 'database',
      target: ['@world', 'sys-apps/hello'],
      emerge: ['--update'],
      after: [],
      network: true,
      unpackaged: 'rebuild',
      limits: { memory: 8 * 2 ** 30, processes: 512, seconds: 5400 },
      pollSeconds: 30,
      schedule: 'H/15 * * * *',
      sign: undefined,
      publish: true,
    })
  })

  it('has a default for everything that can have one', () => {
    const { publisher, builder, machines } = parseConfig(minimal, FILE)
    expect(publisher).to.deep.equal({ root: '/srv/treeswap', graceSeconds: 86_400 })
    expect(builder.artifacts).to.equal('dir:/var/lib/treeswap/artifacts')
    expect(machines.get('web')).to.deep.include({
      chroot: 'web',
      target: ['@world'],
      emerge: ['--update', '--deep', '--newuse'],
      after: ['@preserved-rebuild', '--depclean'],
      network: false,
      unpackaged: 'quickpkg',
      limits: { processes: 4096, seconds: 43_200 },
    })
  })

  it('takes a section whose lines are all commented out for an empty one', () => {
    expect(parseConfig(`${minimal}publisher:\n  # root: /elsewhere\n`, FILE).publisher.root).to.equal('/srv/treeswap')
  })

  it('names the place and the nearest key for each unknown one, all at once', () => {
    const faults = faultsOf(`${minimal.replace('repos: [gentoo]', 'reops: [gentoo]')}publsher:\n  root: /x\n`)
    expect(faults).to.include(`${FILE}:5:42: machines.web.reops: unknown key: did you mean repos?`)
    expect(faults).to.include(`${FILE}:6:1: publsher: unknown key: did you mean publisher?`)
    expect(faults).to.include(`${FILE}:5:3: machines.web.repos: is missing`)
  })

  it('explains a number without unit, an empty list and a wrong type where they stand', () => {
    const faults = faultsOf(
      complete
        .replace('poll: 6h', 'poll: 60')
        .replace('memory: 8G', 'memory: 8 GB')
        .replace('network: true', "network: 'yes'")
        .replace('[overlay, gentoo]', '[]')
        .replace("['@world', sys-apps/hello]", "['--update']"),
    )
    expect(faults).to.match(/:14:\d+: repos\.gentoo\.poll: write a whole number with a unit: 90s/)
    expect(faults).to.match(/limits\.memory: write a whole number with a unit: 512M or 8G/)
    expect(faults).to.match(/machines\.database\.network: .*boolean/)
    expect(faults).to.match(/machines\.database\.repos: a machine needs at least one ebuild repo/)
    expect(faults).to.match(/machines\.database\.target.*: a package or a set is meant here, not an option/)
  })

  it('refuses names that are unsafe or lead nowhere, naming what was meant', () => {
    expect(faultsOf(minimal.replace('repos: [gentoo]', 'repos: [gentio]'))).to.include(
      'there is no repo "gentio" in this file: did you mean gentoo?',
    )
    expect(faultsOf(complete.replace('machines:\n  database:', 'machines:\n  ../x:'))).to.include(
      '"../x" cannot be the name of a tree',
    )
    expect(faultsOf(complete.replace('  database: { from', '  databse: { from'))).to.include('did you mean databse?')
    expect(faultsOf(minimal.replace('  gentoo:', '  __proto__:'))).to.include('there is no repo "gentoo"')
  })

  it('refuses two machines in one root and two directories that overlap', () => {
    const second = '  second: { profile: { url: /srv/p }, repos: [gentoo], chroot: web }\n'
    expect(faultsOf(minimal + second)).to.include('second and web share the root web')
    expect(faultsOf(`${minimal}publisher: { root: /var/lib/treeswap/public }\n`)).to.include('must lie apart')
    expect(faultsOf(`${minimal}builder: { artifacts: 'dir:/srv/treeswap/published' }\n`)).to.include('must lie apart')
  })

  for (const url of [
    'https://user:secret@git.example.org/x.git',
    'https://ghp_token@git.example.org/x.git',
    'ssh://git:secret@git.example.org/x.git',
  ]) {
    it(`refuses the secret in ${url.replace(/\/\/.*@/, '//…@')} and does not repeat it`, () => {
      const faults = faultsOf(minimal.replace('/srv/git/gentoo', url))
      expect(faults).to.include('credential helper')
      expect(faults).not.to.match(/secret|ghp_token/)
    })
  }

  for (const url of ['ext::sh -c id', 'ext::id', '--upload-pack=id', 'ftp://example.org/x', 'x', '']) {
    it(`refuses ${JSON.stringify(url)} as a git URL`, () => {
      expect(faultsOf(minimal.replace('/srv/git/gentoo', JSON.stringify(url)))).to.include('repos.gentoo.url')
    })
  }

  for (const url of [
    'ssh://git@example.org/x',
    'git@example.org:x.git',
    'file:///srv/x',
    '../x',
    'http://127.0.0.1:8/x',
  ]) {
    it(`takes ${url} as a git URL`, () => {
      parseConfig(minimal.replace('/srv/git/gentoo', JSON.stringify(url)), FILE)
    })
  }

  for (const host of ['a;b', 'a{b', "a'b", 'a"b', 'a$b', 'a_b', 'a,b', '']) {
    it(`refuses ${JSON.stringify(host)} as a host that servers and clients are configured with`, () => {
      for (const key of ['http', 'rsync']) {
        const url = JSON.stringify(`${key}://${host}`)
        expect(faultsOf(`${minimal}publisher: { ${key}: ${url} }\n`), key).to.include(`publisher.${key}: `)
      }
    })
  }

  for (const url of [
    'http://[::1]:8080/x',
    'http://127.0.0.1',
    'https://Pkgs-1.example.org',
    'rsync://[2001:db8::1]',
  ]) {
    it(`takes ${url} as the URL of the publisher`, () => {
      parseConfig(`${minimal}publisher: { ${url.startsWith('rsync') ? 'rsync' : 'http'}: '${url}' }\n`, FILE)
    })
  }

  for (const [written, meant] of [
    ['database/', 'database'],
    ['./a//database', 'a/database'],
    ['./', undefined],
    ['.', undefined],
  ] as const) {
    it(`takes ${written} in the profile's repository for ${meant ?? 'its top'}`, () => {
      const { machines } = parseConfig(complete.replace('machines/database', written), FILE)
      expect(machines.get('database')?.profile.path).to.equal(meant)
    })
  }

  it('refuses paths and branches that would leave the repository or become options', () => {
    for (const path of ['../x', '/etc', 'a/../../b']) {
      expect(faultsOf(complete.replace('machines/database', path)), path).to.include('profile.path')
    }
    for (const branch of ['--upload-pack=x', 'a..b', 'a b', '']) {
      expect(faultsOf(complete.replace('branch: stable', `branch: '${branch}'`)), branch).to.include('gentoo.branch')
    }
  })

  it('says for YAML that cannot be read where it breaks, also for a key given twice', () => {
    expect(faultsOf('schema: 1\nrepos: {')).to.match(/treeswap\.yaml:2:\d+: /)
    expect(faultsOf('schema: 1\nschema: 1\n')).to.match(/treeswap\.yaml:2:1: .*unique/)
  })

  it('shows how to begin a file that is empty or no map, or that does not say its format', () => {
    for (const text of ['', '# nothing yet\n', '- 1\n', 'publisher\n']) {
      const { code, message, hint } = refusal(() => parseConfig(text, FILE))
      expect(code, text).to.equal('CONFIG_INVALID')
      expect(message, text).to.match(/treeswap\.yaml:1:1: the file is (empty|no map of keys and values)$/)
      expect(hint, text).to.include('begin with "schema: 1"').and.to.include('machines:')
    }
    const named = minimal.replace('schema: 1', '# mine')
    expect(faultsOf(named)).to.equal(`${FILE}:2:1: schema: is missing: begin the file with "schema: 1"`)
    expect(faultsOf(minimal.replace('schema: 1', 'schema: one'))).to.equal(`${FILE}:1:9: schema: write "schema: 1"`)
  })

  it('tells a format of the future from a fault', () => {
    expect(refusal(() => parseConfig('schema: 2\nnew: things\n', FILE))).to.deep.include({
      code: 'CONFIG_TOO_NEW',
      category: 'configuration',
    })
  })

  it('shows how to write the file when there is none, and the example it shows is valid', () => {
    const { code, hint } = refusal(() => loadConfig('/nowhere/treeswap.yaml'))
    expect(code).to.equal('CONFIG_MISSING')
    const example = hint.slice(hint.indexOf('schema: 1'))
    expect([...parseConfig(example, FILE).machines.keys()]).to.deep.equal(['database'])
  })

  it('says in one sentence that a directory is no configuration', () => {
    const directory = mkdtempSync(join(tmpdir(), 'config-'))
    try {
      expect(refusal(() => loadConfig(directory)).code).to.equal('CONFIG_UNREADABLE')
      writeFileSync(join(directory, 'treeswap.yaml'), minimal)
      expect(loadConfig(join(directory, 'treeswap.yaml')).file).to.equal(join(directory, 'treeswap.yaml'))
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('describes every field in the JSON Schema', () => {
    const silent: string[] = []
    visit(configJsonSchema(), '', silent)
    expect(silent).to.deep.equal([])
  })
})

function visit(node: unknown, path: string, silent: string[]): void {
  if (typeof node !== 'object' || node === null) return
  const { properties = {}, additionalProperties } = node as {
    properties?: Record<string, { description?: string }>
    additionalProperties?: unknown
  }
  for (const [name, property] of Object.entries(properties)) {
    if (!property.description) silent.push(`${path}.${name}`)
    visit(property, `${path}.${name}`, silent)
  }
  visit(additionalProperties, `${path}.*`, silent)
}
