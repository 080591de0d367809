import { readFileSync } from 'node:fs'
import type { KeyConfig } from '../../src/config/keys.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { silent } from '../lab/silent.js'

/** Signs so much content and prints the kilobytes that it needed at most: KEY-CONFIG-FILE MEGABYTES */
const [configFile = '', megabytes = ''] = process.argv.slice(2)

async function* content(): AsyncIterable<Buffer> {
  for (let number = 0; number < Number(megabytes); number++) {
    yield await Promise.resolve(Buffer.alloc(1 << 20, `megabyte ${number}`))
  }
}

const signer = await openSigner(JSON.parse(readFileSync(configFile, 'utf8')) as KeyConfig, silent)
await signer.detached(content)
console.log(process.resourceUsage().maxRSS)
