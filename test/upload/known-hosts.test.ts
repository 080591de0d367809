import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { fingerprint } from '../../src/upload/host-trust.js'
import { keyType, knownKeys } from '../../src/upload/known-hosts.js'
import { temporaryDirectory } from '../lab/temporary.js'

describe('a known_hosts file', () => {
  const directory = temporaryDirectory()

  const makeKey = (name: string, type = 'ed25519'): string => {
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', join(directory(), name)])
    return readFileSync(join(directory(), `${name}.pub`), 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ')
  }
  const accepted = (text: string, host: string, port = 22): string[] =>
    knownKeys(text, host, port).accepted.map((key) => `${keyType(key)} ${key.toString('base64')}`)

  /** What OpenSSH finds. */
  const found = (text: string, name: string): string[] => {
    const file = join(directory(), 'known_hosts')
    writeFileSync(file, text)
    try {
      const output = execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8', stdio: 'pipe' })
      const lines = output.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
      return lines.map((line) => line.split(' ').slice(-2).join(' '))
    } catch {
      return []
    }
  }

  it('is read as ssh-keygen reads it: lists, patterns, exceptions, ports, hashed names, key types', () => {
    const [a, b, c, d, e] = ['ed25519', 'rsa', 'ecdsa', 'ed25519', 'ed25519'].map((type, n) => makeKey(`k${n}`, type))
    const plain = [
      '# www.example.org is a comment',
      `www.example.org,192.0.2.1 ${a}`,
      `  WWW.example.org ${b}`,
      `[www.example.org]:2222 ${c}`,
      `*.example.net,!bad.example.net ${d}`,
      `host-?.example.com ${e}`,
      `*a*a*a*a*a*a*b ${a}`,
      '',
    ].join('\n')
    const file = join(directory(), 'hashed')
    writeFileSync(file, [`hashed.example.org ${a}`, `[hashed.example.org]:2222 ${b}`, ''].join('\n'))
    execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' })
    const text = plain + readFileSync(file, 'utf8')
    expect(text).not.to.include('hashed.example.org')
    const names: [string, number, number][] = [
      ['www.example.org', 22, 2],
      ['WWW.Example.org', 22, 2],
      ['192.0.2.1', 22, 1],
      ['www.example.org', 2222, 1],
      ['www.example.org', 2223, 0],
      ['192.0.2.1', 2222, 0],
      ['www.example.or', 22, 0],
      ['good.example.net', 22, 1],
      ['bad.example.net', 22, 0],
      ['example.net', 22, 0],
      ['host-1.example.com', 22, 1],
      ['host-12.example.com', 22, 0],
      ['hashed.example.org', 22, 1],
      ['Hashed.example.org', 22, 1],
      ['hashed.example.org', 2222, 1],
      ['hashed.example.org', 2223, 0],
      ['aaaaaaab', 22, 1],
      ['a'.repeat(60), 22, 0],
    ]
    for (const [host, port, count] of names) {
      const name = port === 22 ? host : `[${host}]:${port}`
      const keys = accepted(text, host, port)
      expect(keys, name).to.have.length(count)
      // ssh itself asks for a name in small letters
      expect(keys, name).to.have.members(found(text, name.toLowerCase()))
    }
  })

  it('never accepts a key that it revokes, nor an authority’s, nor what is no key', () => {
    const [a, b] = [makeKey('a'), makeKey('b')]
    const text = `@revoked * ${a}\n@cert-authority * ${b}\nhost ${a}\nhost ssh-ed25519 AAAA\nhost ssh-rsa ${b.split(' ')[1]}\nhost\n`
    const { accepted: keys, revoked } = knownKeys(text, 'host', 22)
    expect(keys).to.have.length(1)
    expect(revoked).to.deep.equal(keys)
  })

  it('has fingerprints as ssh-keygen prints them', () => {
    const key = makeKey('k')
    const printed = execFileSync('ssh-keygen', ['-l', '-f', join(directory(), 'k.pub')], { encoding: 'utf8' })
    expect(printed).to.include(` ${fingerprint(Buffer.from(key.split(' ')[1]!, 'base64'))} `)
  })
})
