import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { TreeswapError } from '../../src/model/errors.js'
import { describeClient, portageConfiguration } from '../../src/serve/portage.js'
import { rsyncdConfiguration } from '../../src/serve/rsyncd.js'

const client = {
  tree: 'database',
  repos: ['gentoo', 'overlay'],
  mainRepo: 'gentoo',
  rsync: 'rsync://pkgs.example.org:8730',
  http: 'http://pkgs.example.org/x',
}

describe("a Gentoo client's configuration", () => {
  it('names every ebuild repo with its place, its URL and how it is verified', () => {
    const [repos] = portageConfiguration(client).files
    expect(repos).to.deep.equal({
      path: '/etc/portage/repos.conf/treeswap.conf',
      content: `[DEFAULT]
main-repo = gentoo

[gentoo]
location = /var/db/repos/gentoo
sync-type = rsync
sync-uri = rsync://pkgs.example.org:8730/repos/database/gentoo/
# the Manifests of a published repo are not signed by Gentoo as a whole
sync-rsync-verify-metamanifest = no
auto-sync = yes

[overlay]
location = /var/db/repos/overlay
sync-type = rsync
sync-uri = rsync://pkgs.example.org:8730/repos/database/overlay/
# the Manifests of a published repo are not signed by Gentoo as a whole
sync-rsync-verify-metamanifest = no
auto-sync = yes
`,
    })
  })

  it('says that packages are not verified, and why', () => {
    const content = portageConfiguration(client).files[1]?.content ?? ''
    expect(content).to.include('sync-uri = http://pkgs.example.org/x/binpkgs/database/\n')
    expect(content).to.match(/# The packages are not signed[^]*\nverify-signature = false\n/)
  })

  describe('of a signed machine', () => {
    const fingerprint = 'ABCDEF0123456789ABCDEF0123456789ABCDEF01'
    const signed = { ...client, fingerprint }

    it('demands signatures, and says what they do not tell', () => {
      const content = portageConfiguration(signed).files[1]?.content ?? ''
      expect(content).to.match(/# [^]*the index is not\n# signed[^]*\nverify-signature = true\n$/)
      expect(content).not.to.include('verify-signature = false')
    })

    it('trusts the key of the configuration by its fingerprint, in a keyring that Portage can read', () => {
      const { files, trust } = portageConfiguration(signed, '/mnt/gentoo/')
      const ownertrust = '/etc/portage/gnupg/treeswap.ownertrust'
      expect(files).to.deep.include({ path: ownertrust, content: `${fingerprint}:6:\n` })
      const commands = trust.map(({ argv }) => argv.join(' '))
      expect(commands[0]).to.equal('install --directory --mode=0755 /mnt/gentoo/etc/portage/gnupg')
      expect(commands[1]).to.match(/^wget .* http:\/\/pkgs.example.org\/x\/binpkgs\/database\/database.gpg$/)
      expect(commands[3]).to.match(new RegExp(`^gpg .* --import-ownertrust /mnt/gentoo${ownertrust}$`))
      expect(commands.at(-1)).to.match(/^chmod a\+r .*trustdb.gpg$/)
    })

    it('trusts before it installs, each command only after the one before succeeded', () => {
      const text = describeClient(portageConfiguration(signed))
      execFileSync('sh', ['-n'], { input: text })
      expect(text.indexOf('--check-trustdb && \\\n')).to.be.within(1, text.indexOf('emerge --sync'))
    })

    it('is told nothing of keys where nothing is signed', () => {
      expect(portageConfiguration(client).trust).to.deep.equal([])
      expect(describeClient(portageConfiguration(client))).not.to.include('gpg')
    })
  })

  it('prints commands that a shell reads as they are meant', () => {
    const text = describeClient(portageConfiguration(client))
    expect(text).to.include('\nemerge --sync\n')
    expect(text).to.include(
      ' rsync://pkgs.example.org:8730/profiles/database/.profile/ /var/cache/treeswap/ && \\\nrsync ',
    )
    expect(text.match(/^### .*/gm)).to.have.length(2 + 4)
    execFileSync('sh', ['-n'], { input: text })
    expect(text).to.include('\nemerge --update --deep --newuse --getbinpkg --rebuilt-binaries=y @world\n')
  })

  for (const key of ['rsync', 'http'] as const) {
    it(`asks for publisher.${key} where the configuration lacks it`, () => {
      const { tree, repos, mainRepo } = client
      const other = key === 'rsync' ? { http: client.http } : { rsync: client.rsync }
      expect(() => portageConfiguration({ tree, repos, mainRepo, ...other }))
        .to.throw(TreeswapError, key)
        .with.property('code', 'PUBLISHER_URL')
    })
  }
})

describe('configuration of servers', () => {
  for (const root of ['/srv/tree swap', '/srv/a;b', '/srv/$x', '/srv/a\nb', '/srv/a"b', '/srv/%HOME%']) {
    it(`refuses ${JSON.stringify(root)}, which would mean something else there`, () => {
      expect(() => rsyncdConfiguration({ root }))
        .to.throw(TreeswapError)
        .with.property('code', 'PATH_UNSUPPORTED')
    })
  }

  it('takes the port from the URL', () => {
    expect(rsyncdConfiguration({ root: '/srv/t', rsync: 'rsync://h:8730' })).to.include('\nport = 8730\n')
    expect(rsyncdConfiguration({ root: '/srv/t', rsync: 'rsync://h' })).not.to.include('port')
  })
})
