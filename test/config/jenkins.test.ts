import { expect } from 'chai'
import { parseConfig } from '../../src/config/load.js'
import { refusal } from '../lab/refusal.js'

const FILE = '/etc/treeswap/treeswap.yaml'
const base = 'schema: 1\n'
const HOST_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF/x+y0'

describe('the section jenkins', () => {
  it('is not needed', () => {
    expect(parseConfig(base, FILE)).not.to.have.property('jenkins')
  })

  it('has a default for everything', () => {
    for (const text of ['jenkins: {}', 'jenkins:\n  # url: https://ci.example.org/']) {
      expect(parseConfig(`${base}${text}\n`, FILE).jenkins, text).to.deep.equal({
        url: undefined,
        user: undefined,
        tokenFile: undefined,
        folder: 'treeswap',
        library: 'treeswap',
        agent: 'treeswap',
        publisher: 'publisher',
        publishOver: undefined,
        credentials: 'treeswap-read',
        config: undefined,
        timeoutSeconds: 43_200,
        keepBuilds: 5,
      })
    }
  })

  it('reads every field, with paths that start at the file', () => {
    const { jenkins } = parseConfig(
      `${base}jenkins:
  url: https://ci.example.org/jenkins/
  user: treeswap
  token-file: jenkins-token
  folder: infra/gentoo
  library: ours
  agent: linux && nspawn
  publish-over: { host: pkgs.example.org, port: 2222, user: pub, host-key: '${HOST_KEY}', credentials: pub-key }
  credentials: read
  config: { url: https://git.example.org/site.git, branch: main, credentials: git-read, path: ci/treeswap.yaml }
  timeout: 6h
  keep-builds: 3
`,
      FILE,
    )
    expect(jenkins).to.deep.equal({
      url: 'https://ci.example.org/jenkins',
      user: 'treeswap',
      tokenFile: '/etc/treeswap/jenkins-token',
      folder: 'infra/gentoo',
      library: 'ours',
      agent: 'linux && nspawn',
      publisher: 'publisher',
      publishOver: { host: 'pkgs.example.org', port: 2222, user: 'pub', hostKey: HOST_KEY, credentials: 'pub-key' },
      credentials: 'read',
      config: {
        url: 'https://git.example.org/site.git',
        branch: 'main',
        credentials: 'git-read',
        path: 'ci/treeswap.yaml',
      },
      timeoutSeconds: 21_600,
      keepBuilds: 3,
    })
  })

  it('polls a main ebuild repo a few times a day, all else every quarter of an hour, unless told', () => {
    const { repos, machines } = parseConfig(
      `${base}repos:
  gentoo: { url: /srv/gentoo }
  guru: { url: /srv/guru, credentials: git-read }
  own: { url: /srv/own, schedule: '' }
machines:
  web: { profile: { url: /srv/web, credentials: git-read }, repos: [guru, gentoo, own], publish: false }
  db: { profile: { url: /srv/db }, repos: [gentoo], schedule: '@hourly' }
`,
      FILE,
    )
    expect([...repos.values()].map(({ schedule, credentials }) => [schedule, credentials])).to.deep.equal([
      ['H H/6 * * *', undefined],
      ['H/15 * * * *', 'git-read'],
      ['', undefined],
    ])
    expect([...machines.values()].map(({ schedule, publish }) => [schedule, publish])).to.deep.equal([
      ['H/15 * * * *', false],
      ['@hourly', true],
    ])
    expect(machines.get('web')?.profile.credentials).to.equal('git-read')
  })

  it('refuses what would leak, lead elsewhere or run as code, without repeating a password', () => {
    const bad: [string, RegExp][] = [
      ['url: https://me:hunter2@ci.example.org/', /must not carry a user name or password/],
      ['url: ftp://ci.example.org/', /no such URL/],
      ['url: https://ci.example.org/?a=b', /no such URL/],
      ['user: "a:b"', /id of a Jenkins user/],
      ['token: hunter2', /unknown key/],
      ['folder: ../x', /name of a folder/],
      ['folder: a//b', /name of a folder/],
      [`library: "x') _ ; sh('"`, /letters, digits/],
      ['agent: "a\'b"', /label of agents/],
      ['timeout: 0s', /must not be 0/],
      ['keep-builds: 0', /keep-builds/],
      ['config: { path: x }', /config\.url: is missing/],
      ['config: { url: /srv/site, path: ../x }', /inside the repository/],
      ["publish-over: { host: '-oProxyCommand=x', host-key: 'ssh-ed25519 AA', credentials: c }", /host/],
      ["publish-over: { host: h, host-key: 'AA', credentials: c }", /type and the key/],
      ["publisher: p\n  publish-over: { host: h, host-key: 'ssh-ed25519 AA', credentials: c }", /exclude each other/],
    ]
    for (const [text, expected] of bad) {
      const { message } = refusal(() => parseConfig(`${base}jenkins:\n  ${text}\n`, FILE))
      expect(message, text).to.match(expected)
      expect(message).not.to.include('hunter2')
    }
    for (const schedule of ['often', 'H/15 * * *', 'H/15 * * * *; x', "H ' * * *"]) {
      const text = `${base}repos: { a: { url: /a, schedule: "${schedule}" } }\n`
      expect(refusal(() => parseConfig(text, FILE)).message, schedule).to.match(/five fields/)
    }
  })
})
