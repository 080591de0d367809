import { readFileSync } from 'node:fs'
import type { KeyConfig } from '../../src/config/keys.js'
import { signGpkg } from '../../src/gentoo/sign-gpkg.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { silent } from '../lab/silent.js'

/** Signs a package and prints the kilobytes that it needed at most: KEY-CONFIG-FILE FROM TO */
const [configFile = '', path = '', to = ''] = process.argv.slice(2)
const signer = await openSigner(JSON.parse(readFileSync(configFile, 'utf8')) as KeyConfig, silent)
await signGpkg({ path, signal: silent.signal, refuse: (why) => new Error(why) }, to, signer)
console.log(process.resourceUsage().maxRSS)
