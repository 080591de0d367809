import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { expect } from 'chai'
import { caddyConfiguration } from '../../src/serve/caddy.js'
import { nginxConfiguration } from '../../src/serve/nginx.js'
import type { Publisher } from '../../src/serve/server.js'
import { needsRoot } from '../lab/needs-root.js'
import { startDaemon } from './daemon.js'
import type { Daemon } from './daemon.js'
import { freePort, publishFiles, scratch } from './published-tree.js'

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** Sends a path as it is, where fetch would tidy it up. */
async function get(port: number, path: string, method = 'GET', headers = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
      let body = ''
      answer.on('data', (chunk) => (body += String(chunk)))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
    })
    sent.once('error', reject)
    sent.end()
  })
}

const files = {
  '.binpkgs/Packages': 'TIMESTAMP: 1\n',
  '.binpkgs/sys-apps/hello/hello-1-1.gpkg.tar': 'package one',
  '.binpkgs/way-out': '-> /etc/hostname',
  '.binpkgs/way-in': '-> ../gentoo/profiles/repo_name',
  'gentoo/profiles/repo_name': 'gentoo\n',
  '.profile/etc/portage/make.conf': 'USE=""\n',
  '.treeswap.json': '{}',
  'os/x86_64/lab.db': 'database 1',
  'os/x86_64/one+two-1:2.0~rc1-1.1-any.pkg.tar.zst': 'a package with an epoch',
  'os/x86_64/.hidden': '{}',
  'os/x86_64/below/lab.db': '{}',
  'os/x86_64/way-out': '-> /etc/hostname',
}

interface Server {
  name: string
  program: string
  start(directory: string, publisher: Publisher, port: number): Promise<Daemon>
  /** Caddy has no switch against links inside what it serves: packs hold none there */
  followsLinks: boolean
}

const servers: Server[] = [
  {
    name: 'nginx',
    program: 'nginx',
    followsLinks: false,
    start(directory, publisher, port) {
      const file = join(directory, 'nginx.conf')
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${directory};`,
      )
      writeFileSync(join(directory, 'treeswap.conf'), nginxConfiguration(publisher))
      writeFileSync(
        file,
        `daemon off;\npid ${directory}/nginx.pid;\nerror_log ${directory}/error.log;\nevents { }\n` +
          `http { access_log off; ${paths.join(' ')} include ${directory}/treeswap.conf; }\n`,
      )
      return startDaemon('nginx', ['-c', file], port)
    },
  },
  {
    name: 'Caddy',
    program: process.env.TREESWAP_TEST_CADDY ?? 'caddy',
    followsLinks: true,
    start(directory, publisher, port) {
      const file = join(directory, 'Caddyfile')
      const global = `{\n\tadmin off\n\tauto_https off\n}\n`
      writeFileSync(file, global + caddyConfiguration(publisher))
      const home = ['HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME'].map((name) => `${name}=${directory}`)
      return startDaemon('env', [...home, this.program, 'run', '--config', file, '--adapter', 'caddyfile'], port)
    },
  },
]

for (const server of servers) {
  describe(`${server.name} with the printed configuration`, function () {
    this.timeout(60_000)
    let place: ReturnType<typeof scratch>
    let daemon: Daemon | undefined
    let port = 0
    let root = ''

    before(needsRoot)
    before(async function () {
      if (!installed(server.program)) {
        console.log(`      needs ${server.name}: install it to include these tests`)
        this.skip()
      }
      place = scratch()
      chmodSync(place.directory, 0o755)
      port = await freePort()
      root = join(place.directory, 'root')
      publishFiles(root, 'data+base', 1, files)
      mkdirSync(join(place.directory, 'root/objects'))
      writeFileSync(join(place.directory, 'root/objects/secret'), 'x')
      daemon = await server.start(place.directory, { root, http: `http://127.0.0.1:${port}/pkg.s` }, port)
    })

    after(async () => {
      await daemon?.stop()
      if (root !== '') place.remove()
    })

    it('serves what is published now, to be asked for again each time', async () => {
      const { status, headers, body } = await get(port, '/pkg.s/binpkgs/data+base/Packages')
      expect({ status, body }).to.deep.equal({ status: 200, body: 'TIMESTAMP: 1\n' })
      expect(headers['cache-control']).to.equal('no-cache')
      expect((await get(port, '/pkg.s/binpkgs/data%2Bbase/sys-apps/hello/hello-1-1.gpkg.tar')).body).to.equal(
        'package one',
      )
    })

    it('serves a generation under a URL of its own, to be kept for ever', async () => {
      const path = '/pkg.s/generations/data+base/1/sys-apps/hello/hello-1-1.gpkg.tar'
      const { status, headers, body } = await get(port, path)
      expect({ status, body }).to.deep.equal({ status: 200, body: 'package one' })
      expect(headers['cache-control']).to.include('immutable')
    })

    it('gives the new index right after a publish, and the old generation still', async () => {
      publishFiles(root, 'data+base', 2, { ...files, '.binpkgs/Packages': 'TIMESTAMP: 2\n' })
      const { body, headers } = await get(port, '/pkg.s/binpkgs/data+base/Packages')
      expect(body).to.equal('TIMESTAMP: 2\n')
      expect((await get(port, '/pkg.s/generations/data+base/1/Packages')).body).to.equal('TIMESTAMP: 1\n')
      publishFiles(root, 'data+base', 3, { ...files, '.binpkgs/Packages': 'TIMESTAMP: 3\n' })
      const again = await get(port, '/pkg.s/binpkgs/data+base/Packages', 'GET', { 'If-None-Match': headers.etag })
      expect(again.body).to.equal('TIMESTAMP: 3\n')
    })

    it('serves the files of a pacman repo, also where an epoch makes their names strange to URLs', async () => {
      const repo = '/pkg.s/pacman/data+base/os/x86_64'
      const { status, headers, body } = await get(port, `${repo}/lab.db`)
      expect({ status, body }).to.deep.equal({ status: 200, body: 'database 1' })
      expect(headers['cache-control']).to.equal('no-cache')
      for (const name of ['one+two-1:2.0~rc1-1.1-any.pkg.tar.zst', 'one%2Btwo-1%3A2.0~rc1-1.1-any.pkg.tar.zst']) {
        expect((await get(port, `${repo}/${name}`)).body, name).to.equal('a package with an epoch')
      }
    })

    for (const path of [
      '/',
      '/pacman/data+base/os/x86_64/lab.db',
      '/pkg.s/pacman/data+base/os/x86_64/',
      '/pkg.s/pacman/data+base/os/x86_64/.hidden',
      '/pkg.s/pacman/data+base/os/x86_64/%2ehidden',
      '/pkg.s/pacman/data+base/os/x86_64/below/lab.db',
      '/pkg.s/pacman/data+base/os/../.treeswap.json',
      '/pkg.s/pacman/data+base/os/..%2f.treeswap.json',
      '/pkg.s/pacman/data+base/os/x86_64/..%2f..%2f.treeswap.json',
      '/pkg.s/pacman/.generations/os/x86_64/lab.db',
      '/binpkgs/data+base/Packages',
      '/pkg.s/',
      '/pkg.s/binpkgs/',
      '/pkg.s/binpkgs/data+base',
      '/pkg.s/binpkgs/data+base/',
      '/pkg.s/binpkgs/data+base/sys-apps/',
      '/pkg.s/binpkgs/.generations/data+base.1/gentoo/profiles/repo_name',
      '/pkg.s/binpkgs/data+base/../gentoo/profiles/repo_name',
      '/pkg.s/binpkgs/data+base/%2e%2e/gentoo/profiles/repo_name',
      '/pkg.s/binpkgs/data+base/..%2fgentoo/profiles/repo_name',
      '/pkg.s/binpkgs/data+base/..%2f.profile/etc/portage/make.conf',
      '/pkg.s/binpkgs/../objects/secret',
      '/pkg.s/binpkgs/..%2f..%2fobjects/secret',
      '/pkg.s/binpkgs/../../../../../../etc/hostname',
      '/pkg.s/generations/data+base/1/..%2f.treeswap.json',
      '/pkg.s/generations/data+base/01/Packages',
      '/pkg.s/generations/data+base/1/',
      '/pkg.s/generations/data+base/99/Packages',
    ]) {
      it(`does not give ${path}`, async () => {
        const { status, body } = await get(port, path)
        expect(status).to.be.oneOf([301, 400, 403, 404])
        expect(body).not.to.match(/gentoo\n|USE=|\{\}/)
      })
    }

    if (!server.followsLinks) {
      it('follows no link but that of the tree', async () => {
        expect((await get(port, '/pkg.s/pacman/data+base/os/x86_64/way-out')).status).to.equal(403)
        for (const name of ['way-out', 'way-in']) {
          expect((await get(port, `/pkg.s/binpkgs/data+base/${name}`)).status).to.equal(403)
          expect((await get(port, `/pkg.s/generations/data+base/1/${name}`)).status).to.equal(403)
        }
      })
    }

    it('takes nothing from clients', async () => {
      expect((await get(port, '/pkg.s/binpkgs/data+base/Packages', 'PUT')).status).to.be.oneOf([404, 405])
    })
  })
}

function installed(program: string): boolean {
  if (program.includes('/')) return existsSync(program)
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
