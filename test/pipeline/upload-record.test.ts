import { join } from 'node:path'
import { expect } from 'chai'
import { publishError } from '../../src/model/errors.js'
import { readUploads, recordUpload } from '../../src/pipeline/upload-record.js'
import { openStore } from '../../src/store/layout.js'
import { temporaryDirectory } from '../lab/temporary.js'

describe('what is recorded of uploads', () => {
  const directory = temporaryDirectory()
  const web = { name: 'web', host: 'www.example.org', directory: '/srv/www' }
  const error = publishError('UPLOAD_KEY_REFUSED', 'the host takes no such key', 'give it the key')

  it('is the last generation that a host got, beside a later one that failed', () => {
    const store = openStore(join(directory(), 'srv'), { create: true })
    recordUpload(store, { tree: 'own', serial: 4 }, web, {})
    recordUpload(store, { tree: 'own', serial: 5 }, { ...web, name: 'mirror', host: 'mirror.example.org' }, {})
    recordUpload(store, { tree: 'own', serial: 5 }, web, { error })
    const uploads = readUploads(store, 'own')
    expect(uploads.get('web')?.generation?.serial).to.equal(4)
    expect(uploads.get('web')?.failure).to.include({ serial: 5, code: 'UPLOAD_KEY_REFUSED' })
    expect(uploads.get('mirror')?.generation?.serial).to.equal(5)
    recordUpload(store, { tree: 'own', serial: 6 }, web, {})
    expect(readUploads(store, 'own').get('web')).to.have.nested.property('generation.serial', 6)
    expect(readUploads(store, 'own').get('web')).not.to.have.property('failure')
    expect(readUploads(store, 'other').size).to.equal(0)
  })

  it('forgets what lay elsewhere where a host of that name has another directory', () => {
    const store = openStore(join(directory(), 'srv'), { create: true })
    recordUpload(store, { tree: 'own', serial: 4 }, web, {})
    recordUpload(store, { tree: 'own', serial: 5 }, { ...web, directory: '/srv/new' }, { error })
    expect(readUploads(store, 'own').get('web')).to.include({ directory: '/srv/new' })
    expect(readUploads(store, 'own').get('web')).not.to.have.property('generation')
  })
})
