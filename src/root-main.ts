import { converse } from './chroot/serve-conversation.js'
import { serveRunner } from './chroot/serve.js'
import { settleRootProcess, standardStreams } from './system/root-process.js'

const caller = settleRootProcess()
await serveRunner(process.argv.slice(2), caller, converse(standardStreams()))
process.exit()
