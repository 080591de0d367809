import { main } from './cli/main.js'
import { hideCredentials } from './system/environment.js'

hideCredentials()
process.exitCode = await main(process.argv.slice(2))
