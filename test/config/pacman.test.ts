import { expect } from 'chai'
import { parseConfig } from '../../src/config/load.js'
import { refusal } from '../lab/refusal.js'

const FILE = '/etc/treeswap/treeswap.yaml'
const fingerprint = '0123456789abcdef0123456789ABCDEF01234567'

const complete = `schema: 1
keys:
  release: { fingerprint: ${fingerprint}, public: release.asc, secret: /root/release.key, passphrase-file: phrase }
  next: { fingerprint: ${fingerprint}, public: next.asc, gpg: gnupg }
uploads:
  web:
    host: web.example.org
    user: www
    directory: /srv/www/pacman
    host-fingerprint: SHA256:${'a'.repeat(43)}
pacman:
  instant:
    chroot: arch
    repositories: [{ url: 'https://git.example.org/packages.git', branch: main, recipes: 'packages/*', poll: 1m }]
    programs: [{ url: ./program, path: ./pkg/, tags: 'v*' }]
    lists: [{ url: ../lists, file: aurpackages, base: /srv/aur/ }]
    prefer: { ins: ./program }
    network: [ins]
    packager: 'Builder <builder@example.org>'
    limits: { time: 1h }
    sign: release
    trust: [release, next]
    upload: [web]
`

describe('configuration of a pacman repo', () => {
  it('is read whole, with paths that start at the file', () => {
    const { pacman, keys, uploads } = parseConfig(complete, FILE)
    const polled = { branch: undefined, pollSeconds: 900, schedule: 'H/15 * * * *' }
    expect(pacman.get('instant')).to.deep.equal({
      name: 'instant',
      architecture: 'x86_64',
      chroot: 'arch',
      repositories: [
        {
          ...{ ...polled, url: 'https://git.example.org/packages.git', branch: 'main', pollSeconds: 60 },
          recipes: 'packages/*',
        },
      ],
      programs: [{ ...polled, url: '/etc/treeswap/program', path: 'pkg', tags: 'v*' }],
      lists: [{ ...polled, url: '/etc/lists', file: 'aurpackages', base: '/srv/aur' }],
      prefer: new Map([['ins', '/etc/treeswap/program']]),
      network: new Set(['ins']),
      packager: 'Builder <builder@example.org>',
      parallel: 2,
      debug: false,
      limits: { processes: 4096, seconds: 3600, disk: 100 * 2 ** 30 },
      sign: 'release',
      trust: ['release', 'next'],
      revoke: [],
      upload: ['web'],
      publish: true,
    })
    expect(keys.get('release')).to.deep.equal({
      name: 'release',
      fingerprint: fingerprint.toUpperCase(),
      publicFile: '/etc/treeswap/release.asc',
      secretFile: '/root/release.key',
      passphraseFile: '/etc/treeswap/phrase',
      gpg: undefined,
    })
    expect(keys.get('next')?.gpg).to.deep.equal({ home: '/etc/treeswap/gnupg' })
    expect(uploads.get('web')).to.deep.include({
      trusted: { fingerprint: `SHA256:${'a'.repeat(43)}` },
      symlinks: false,
    })
  })

  it('has a default for everything that can have one', () => {
    const text = "schema: 1\npacman: { own: { repositories: [{ url: 'https://git.example.org/packages.git' }] } }\n"
    const { pacman } = parseConfig(text, FILE)
    expect(pacman.get('own')).to.deep.include({ chroot: 'own', sign: undefined, trust: [], upload: [] })
    expect(pacman.get('own')?.repositories[0]?.recipes).to.equal('*')
  })

  for (const [what, from, to, message] of [
    ['no source of recipes', /repositories:.*|programs:.*|lists:.*/g, '', 'it needs a source of recipes'],
    ['a key that is not there', 'sign: release', 'sign: relase', 'did you mean release?'],
    ['a host that is not there', 'upload: [web]', 'upload: [wbe]', 'did you mean web?'],
    ['a signing key that nobody trusts', 'trust: [release, next]', 'trust: [next]', 'clients have to trust release'],
    ['a key both trusted and revoked', 'trust:', 'revoke: [next]\n    trust:', 'next is trusted and revoked'],
    ['a pattern of tags without a star', "'v*'", 'v1', 'write a pattern with one "*"'],
    ['a recipe outside of the repository', './pkg/', '../pkg', 'inside the repository'],
    [
      'a short fingerprint',
      `fingerprint: ${fingerprint}, public: release`,
      'fingerprint: ab, public: release',
      'all 40',
    ],
    ['a key that signs in two ways', 'gpg: gnupg', 'gpg: gnupg, secret: x', 'exclude each other'],
    ['a host that anybody may be', /host-fingerprint.*/, '', 'in exactly one way which host key'],
    ['a packager without an address', 'Builder <builder@example.org>', 'Builder', 'write it as'],
    ['the name of a machine', 'keys:', `${machine('instant')}keys:`, 'instant is a machine already'],
    ['the root of a machine', 'keys:', `${machine('arch')}keys:`, 'arch is built in the root arch'],
  ] as const) {
    it(`refuses ${what}`, () => {
      const text = complete.replace(from, to)
      expect(text).not.to.equal(complete)
      expect(faultsOf(text)).to.include(message)
    })
  }
})

function machine(name: string): string {
  return `repos: { gentoo: { url: /srv/git } }\nmachines: { ${name}: { profile: { url: /srv/p }, repos: [gentoo] } }\n`
}

function faultsOf(text: string): string {
  return refusal(() => parseConfig(text, FILE)).message
}
