import { expect } from 'chai'
import { uploadedCaddyConfiguration } from '../../src/serve/caddy.js'
import { describePacmanClient, pacmanConfiguration } from '../../src/serve/pacman.js'

const fingerprint = 'ABCDEF0123456789ABCDEF0123456789ABCDEF01'
const client = {
  tree: 'lab',
  architecture: 'x86_64',
  url: 'http://pkgs.example.org/pacman',
  fingerprint: undefined,
  debug: false,
}

describe("the configuration of a pacman repo's client", () => {
  it('demands signatures where there are any, and names the key by all of its fingerprint', () => {
    const { section, commands } = pacmanConfiguration({ ...client, fingerprint })
    expect(section).to.equal(
      '[lab]\nSigLevel = Required DatabaseRequired\nServer = http://pkgs.example.org/pacman/lab/os/$arch\n',
    )
    const lines = commands.map(({ argv }) => argv.join(' '))
    expect(lines).to.deep.equal([
      'pacman-key --init',
      'curl --fail --location --output /etc/pacman.d/lab.gpg http://pkgs.example.org/pacman/lab/os/x86_64/lab.gpg',
      'pacman-key --add /etc/pacman.d/lab.gpg',
      `pacman-key --lsign-key ${fingerprint}`,
      'pacman -Sy lab-keyring',
      'pacman -Syu',
    ])
  })

  it('says what it means that packages are not signed', () => {
    const { section, commands } = pacmanConfiguration({ ...client, debug: true })
    expect(section).to.match(
      /^\[lab\]\n# Its packages are not signed: (.|\n)+\nSigLevel = Optional TrustAll\nServer = /,
    )
    expect(section).to.include('[lab-debug]\n')
    expect(commands.map(({ argv }) => argv.join(' '))).to.deep.equal(['pacman -Syu'])
    expect(describePacmanClient({ section, commands })).to.include('### /etc/pacman.conf, at its end\n[lab]')
  })

  it('brings the keys of a repo that is not signed yet', () => {
    const { section, commands } = pacmanConfiguration({ ...client, keyring: true })
    expect(section).to.include('SigLevel = Optional TrustAll\n')
    expect(commands.map(({ argv }) => argv.join(' '))).to.deep.equal([
      'pacman-key --init',
      'pacman -Sy lab-keyring',
      'pacman -Syu',
    ])
  })

  it('needs to know where clients find the repo', () => {
    expect(() => pacmanConfiguration({ ...client, url: undefined }))
      .to.throw()
      .with.property('code', 'PUBLISHER_URL')
  })
})

describe('the site of a web host to which repos are uploaded', () => {
  it('serves trees below the URL that clients use, from the directory that uploads go to', () => {
    const text = uploadedCaddyConfiguration({ directory: '/srv/www', url: 'https://www.example.org/repos' })
    expect(text).to.include('https://www.example.org:443 {\n\troot * /srv/www\n').and.to.include('^/repos/(')
    const bare = uploadedCaddyConfiguration({ directory: '/srv/www', url: 'http://www.example.org:8080' })
    expect(bare).to.include('http://www.example.org:8080 {').and.to.include('path_regexp pacman ^/(')
  })

  it('is not made of what would mean something in it', () => {
    expect(() => uploadedCaddyConfiguration({ directory: '/srv/w w', url: 'http://a' }))
      .to.throw()
      .with.property('code', 'PATH_UNSUPPORTED')
  })
})
