import { expect } from 'chai'
import { parseConfig } from '../../src/config/load.js'
import type { UploadConfig } from '../../src/config/uploads.js'

const read = (user: string, directory: string): UploadConfig | undefined => {
  const web = { host: 'web.example.org', user, directory, 'known-hosts': '/etc/ssh/ssh_known_hosts' }
  return parseConfig(JSON.stringify({ schema: 1, uploads: { web } }), '/etc/treeswap/treeswap.yaml').uploads.get('web')
}

describe('configuration of a web host', () => {
  it('takes the names that hosting companies give to users', () => {
    for (const user of ['www', 'ssh-w0123abc', 'u12345-sub1', 'Web123', 'user@example.org', 'www.example.org']) {
      expect(read(user, '/srv')?.user).to.equal(user)
    }
    for (const user of ['', '-oProxyCommand=x', 'a b', 'a\nb', 'a:b', '@x']) {
      expect(() => read(user, '/srv'), JSON.stringify(user)).to.throw('write the name of a user')
    }
  })

  it('takes / where sshd locks the user into what is served, and else no slash at the end', () => {
    expect(read('www', '/')?.directory).to.equal('/')
    for (const directory of ['/srv/', '//', 'srv', '']) {
      expect(() => read('www', directory), directory).to.throw('without a slash at its end')
    }
  })
})
