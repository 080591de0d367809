import { readFileSync } from 'node:fs'
import type { KeyConfig } from '../../src/config/keys.js'
import { TreeswapError } from '../../src/model/errors.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { ensureSignatures } from '../../src/signing/signatures.js'
import { openStore } from '../../src/store/layout.js'
import { silent } from '../lab/silent.js'

/** Signs objects in a process of its own that can be killed: ROOT KEY-CONFIG-FILE OBJECT… */
const [root = '', configFile = '', ...keys] = process.argv.slice(2)
try {
  const signer = await openSigner(JSON.parse(readFileSync(configFile, 'utf8')) as KeyConfig, silent)
  await ensureSignatures(openStore(root), signer, keys, silent)
} catch (error) {
  console.log(error instanceof TreeswapError ? error.code : error)
  process.exitCode = 1
}
