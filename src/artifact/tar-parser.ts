import type { Entry } from '../model/manifest.js'
import type { TarSink } from './read-tar.js'
import type { Policy } from './tar-policy.js'

export class TarParser {
  constructor(
    readonly name: string,
    readonly policy: Partial<Policy>,
    readonly sink: TarSink,
  ) {}

  push(_chunk: Buffer): void {
    throw new Error('not yet')
  }

  end(): Entry[] {
    throw new Error('not yet')
  }

  abandon(): void {
    throw new Error('not yet')
  }
}
