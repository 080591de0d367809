import { readFileSync } from 'node:fs'
import { openDirectorySource } from '../../src/artifact/source.js'
import type { KeyConfig } from '../../src/config/keys.js'
import { TreeswapError } from '../../src/model/errors.js'
import { publish } from '../../src/publish/publish.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { openStore } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'

/**
 * What `treeswap pull` and `publish` do, in a process of its own that can be killed: ROOT pull|publish|try N [ARTIFACTS
 * [TREE [KEY-CONFIG-FILE]]]. Only `try` lets pacman read a repo first.
 */
const [root = '', command, number, artifacts = '', tree = 'box', keyFile = ''] = process.argv.slice(2)
const nothing = (): void => undefined
const context = {
  report: { step: nothing, progress: nothing, line: nothing, warn: (text: string) => console.error(text) },
  signal: new AbortController().signal,
}
const store = openStore(root)
const key = keyFile === '' ? undefined : (JSON.parse(readFileSync(keyFile, 'utf8')) as KeyConfig)
const signing = key && { fingerprint: key.fingerprint, open: () => openSigner(key, context) }
try {
  const done =
    command === 'pull'
      ? await pull(store, openDirectorySource(`dir:${artifacts}`), tree, Number(number), context)
      : await publish(store, tree, Number(number), { graceSeconds: 86_400, trial: command === 'try', signing }, context)
  console.log(JSON.stringify(done))
} catch (error) {
  console.log(error instanceof TreeswapError ? error.code : error)
  process.exitCode = 1
}
