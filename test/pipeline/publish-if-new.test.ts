import { join } from 'node:path'
import { expect } from 'chai'
import { keyringPackage } from '../../src/arch/keyring-package.js'
import type { Config } from '../../src/config/config.js'
import type { KeyConfig } from '../../src/config/keys.js'
import { publishIfNew } from '../../src/pipeline/publish-if-new.js'
import type { NewPublication } from '../../src/pipeline/publish-if-new.js'
import { publish } from '../../src/publish/publish.js'
import { publishedBuild } from '../../src/publish/status.js'
import { acceptedKeys } from '../../src/signing/accepted-keys.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { makeKey } from '../signing/keys.js'
import { archiveRepo } from '../store/repo.js'

describe('what a run publishes', function () {
  this.timeout(60_000)
  const directory = temporaryDirectory()
  let store: Store
  let key: KeyConfig

  beforeEach(async () => {
    store = openStore(join(directory(), 'store'), { create: true })
    key = (await makeKey(join(directory(), 'keys'))).config
    const keyring = await keyringPackage('lab', [key], [], 'Nobody <nobody@example.org>')
    const files = { [keyring.fileName]: keyring.bytes }
    for (const number of [1, 2]) {
      await archiveRepo(join(directory(), 'artifacts'), number, { one: { version: `${number}-1` } }, { files })
    }
  })

  const run = (number: number, sign?: KeyConfig): Promise<NewPublication | undefined> => {
    const config = {
      builder: { artifacts: `dir:${join(directory(), 'artifacts')}` },
      publisher: { root: store.root, graceSeconds: 86_400 },
    } as Config
    const signing = sign && {
      fingerprint: sign.fingerprint,
      open: () => openSigner(sign, silent),
      accepted: () => acceptedKeys(sign),
    }
    return publishIfNew(config, store, 'lab', number, signing, silent)
  }

  it('is what was never published: what an operator has gone back from is not', async () => {
    expect(await run(1)).to.include({ build: 1, serial: 1 })
    expect(await run(2)).to.include({ build: 2, serial: 2 })
    await publish(store, 'lab', 1, {}, silent)
    expect(await run(2)).to.equal(undefined)
    expect(publishedBuild(store, 'lab')).to.include({ build: 1, serial: 3 })
  })

  it('is signed anew when the configuration names a key, whichever build it is', async () => {
    for (const number of [1, 2]) await run(number)
    await publish(store, 'lab', 1, {}, silent)
    expect(await run(2, key)).to.deep.equal({ build: 1, serial: 4, pulledBytes: 0 })
    expect(publishedBuild(store, 'lab')).to.include({ build: 1, serial: 4, signed: key.fingerprint })
    expect(await run(2, key)).to.equal(undefined)
  })
})
