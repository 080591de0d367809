import { ReadableStream } from 'node:stream/web'
import type { Content } from './signer.js'

/** Content as the library wants it: what is in memory is signed faster, what is not flows through. */
export function packetData(content: Content): { text: null; getBytes(): Uint8Array | ReadableStream } {
  return {
    text: null,
    getBytes() {
      const bytes = content()
      return bytes instanceof Uint8Array ? bytes : ReadableStream.from(bytes)
    },
  }
}
