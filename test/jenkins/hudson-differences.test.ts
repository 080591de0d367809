import { expect } from 'chai'
import { startHudson } from './hudson.js'
import type { Hudson, User } from './hudson.js'
import { freestyle } from './freestyle.js'

describe('Hudson, a server of the family', function () {
  this.timeout(120_000)
  let hudson: Hudson

  before(async () => {
    hudson = await startHudson()
  })
  after(async () => {
    await hudson.stop()
  })

  async function ask(path: string, init: RequestInit & { as?: User } = {}): Promise<Response> {
    const { as = hudson.admin, headers, ...rest } = init
    const basic = Buffer.from(`${as.user}:${as.password}`).toString('base64')
    const all = { authorization: `Basic ${basic}`, ...(headers as Record<string, string> | undefined) }
    return await fetch(hudson.url + path, { redirect: 'manual', ...rest, headers: all })
  }

  async function create(name: string, xml: string): Promise<Response> {
    return await ask(`/createItem?name=${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/xml' },
      body: xml,
    })
  }

  async function untilBuilt(job: string, number: number): Promise<Record<string, unknown>> {
    for (let tries = 0; tries < 100; tries++) {
      const answer = await ask(`/job/${job}/${number}/api/json`)
      if (answer.status === 200) {
        const build = (await answer.json()) as Record<string, unknown>
        if (build.building === false) return build
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error(`${job} ${number} did not end: ${hudson.log().slice(-4000)}`)
  }

  /** What holds today and does not here, or the other way: the client must do with both. */
  describe('differs from today’s Jenkins', () => {
    before(async () => {
      expect(
        (
          await create(
            'plain',
            freestyle({ command: 'mkdir -p artifact; echo 0123456789 > artifact/digits', archive: true }),
          )
        ).status,
      ).to.equal(200)
    })

    it('names itself X-Hudson, not X-Jenkins, and that on pages only', async () => {
      const page = await ask('/')
      expect(page.headers.get('x-hudson')).to.equal('3.3.2')
      expect(page.headers.get('x-jenkins')).to.equal(null)
      expect((await ask('/api/json')).headers.get('x-hudson')).to.equal(null)
    })

    it('gives JSON the type application/javascript, and objects no _class', async () => {
      const answer = await ask('/job/plain/api/json')
      expect(answer.headers.get('content-type')).to.match(/^application\/javascript/)
      expect(await answer.json()).not.to.have.property('_class')
    })

    it('answers a trigger by 302 to the job (Jenkins: 201 and a queue item), and knows no queue item by its number', async () => {
      const answer = await ask('/job/plain/build', { method: 'POST' })
      expect(answer.status).to.equal(302)
      expect(answer.headers.get('location')).to.equal(`${hudson.url}/job/plain/`)
      expect(await untilBuilt('plain', 1))
        .to.include({ result: 'SUCCESS' })
        .and.not.to.have.property('queueId')
      expect((await ask('/queue/item/1/api/json')).status).to.equal(404)
    })

    it('has no inProgress, and fails at a range in tree', async () => {
      const fields = '?tree=number,inProgress,artifacts[relativePath,fileName]'
      expect(await (await ask(`/job/plain/1/api/json${fields}`)).json()).to.deep.include({
        number: 1,
        artifacts: [{ relativePath: 'artifact/digits', fileName: 'digits' }],
      })
      expect((await ask('/job/plain/api/json?tree=builds[number]{0,1}')).status).to.equal(500)
    })

    it('leaves the unit out of Content-Range', async () => {
      const part = await ask('/job/plain/1/artifact/artifact/digits', { headers: { range: 'bytes=3-' } })
      expect(part.status).to.equal(206)
      expect(part.headers.get('content-range')).to.equal('3-10/11')
      expect(await part.text()).to.equal('3456789\n')
    })

    it('answers a wrong password as if there was none: 403 and a page (Jenkins: 401)', async () => {
      const answer = await ask('/api/json', { as: { user: 'admin', password: 'wrong' } })
      expect(answer.status).to.equal(403)
      expect(answer.headers.get('content-type')).to.match(/^text\/html/)
    })

    it('has crumbs in a field called .crumb (Jenkins: Jenkins-Crumb), and does not ask for them with a password', async () => {
      expect(await (await ask('/crumbIssuer/api/json')).json()).to.have.property('crumbRequestField', '.crumb')
      expect((await create('uncrumbed', '<project/>')).status).to.equal(200)
    })

    it('says why a job cannot be made on a page only (Jenkins: in X-Error)', async () => {
      const answer = await create('plain', '<project/>')
      expect(answer.status).to.equal(400)
      expect(answer.headers.get('x-error')).to.equal(null)
      expect(await answer.text()).to.include('plain')
    })

    it('has neither folders nor pipelines', async () => {
      const folder = await create('folder', '<com.cloudbees.hudson.plugins.folder.Folder/>')
      expect(folder.status).to.equal(500)
      expect((await create('pipeline', '<flow-definition/>')).status).to.equal(500)
    })

    it('calls a build that somebody stopped a failure (Jenkins: ABORTED)', async () => {
      await create('slow', freestyle({ command: 'sleep 60' }))
      await ask('/job/slow/build', { method: 'POST' })
      for (let tries = 0; (await ask('/job/slow/1/api/json')).status !== 200 && tries < 50; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      await ask('/job/slow/1/stop', { method: 'POST' })
      expect(await untilBuilt('slow', 1)).to.include({ result: 'FAILURE' })
    })
  })
})
