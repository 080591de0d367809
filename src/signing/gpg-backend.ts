import { Readable, Writable } from 'node:stream'
import type { KeyConfig } from '../config/keys.js'
import { configurationError, infrastructureError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { runAny } from '../system/process.js'
import type { Backend } from './backend.js'
import { readSecretFile } from './key-file.js'
import type { Content } from './signer.js'
import type { SigningKey } from './signing-keys.js'

/**
 * Signs with gpg and its agent, which may ask for a card or a passphrase.
 * @param usable those that clients accept, the best first
 * @throws SIGNING_KEY_MISSING, KEY_UNREADABLE, KEY_EXPOSED, PROGRAM_MISSING, ABORTED
 */
export async function gpgBackend(
  config: KeyConfig,
  { home }: { home: string | null },
  usable: readonly SigningKey[],
  { signal }: Context,
): Promise<Backend> {
  if (config.passphraseFile !== undefined) readSecretFile(config.passphraseFile)
  const base = ['--batch', '--no-tty', '--no-options', ...(home === null ? [] : ['--homedir', home])]
  const secrets = await secretKeys(base, config, signal)
  const by = usable.find(({ fingerprint }) => secrets.has(fingerprint))
  if (by === undefined) throw noSecret(config, home)
  const sign = (how: string, content: Content): Promise<Buffer> =>
    runGpg([...base, ...signingOptions(config, by), how], content, config, signal)
  return {
    by,
    detached: (content) => sign('--detach-sign', content),
    clear: async (text) => (await sign('--clear-sign', () => Buffer.from(text))).toString(),
  }
}

/** The time is that of the key, as with a key from a file: equal content gives equal signatures. */
function signingOptions({ passphraseFile }: KeyConfig, { fingerprint, since }: SigningKey): string[] {
  const time = since.toISOString().replace(/[-:]|\.\d+Z/g, '')
  return [
    ...['--faked-system-time', `${time}!`, '--local-user', `${fingerprint}!`, '--digest-algo', 'SHA512'],
    ...(passphraseFile === undefined ? [] : ['--pinentry-mode', 'loopback', '--passphrase-file', passphraseFile]),
  ]
}

/** Fingerprints of keys and subkeys whose secret gpg has, or knows on which card it is (doc/DETAILS of GnuPG). */
async function secretKeys(
  base: readonly string[],
  { fingerprint }: KeyConfig,
  signal: AbortSignal,
): Promise<Set<string>> {
  const options = ['--with-colons', '--with-subkey-fingerprint', '--list-secret-keys', fingerprint]
  const { stdout } = await runAny('gpg', [...base, ...options], { signal })
  const found = new Set<string>()
  let there = false
  for (const fields of stdout.split('\n').map((line) => line.split(':'))) {
    if (fields[0] === 'sec' || fields[0] === 'ssb') there = fields[14] !== '#'
    else if (fields[0] === 'fpr' && there) found.add(fields[9] ?? '')
  }
  return found
}

async function runGpg(
  args: readonly string[],
  content: Content,
  config: KeyConfig,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  const bytes = content()
  const input = bytes instanceof Uint8Array ? bytes : Readable.from(bytes)
  let broken: { error: unknown } | undefined
  if (input instanceof Readable) input.on('error', (error: unknown) => (broken = { error }))
  try {
    const { exitCode, stderr } = await runAny('gpg', args, { input, output, signal })
    if (exitCode === 0) return Buffer.concat(chunks)
    throw failed(config, exitCode, stderr)
  } catch (error) {
    throw broken === undefined ? error : broken.error
  } finally {
    if (input instanceof Readable) input.destroy()
  }
}

function failed({ name, fingerprint, gpg }: KeyConfig, exitCode: number, stderr: string): Error {
  const said = stderr.trim().split('\n').slice(-3).join(' | ')
  const home = gpg?.home === null || gpg === undefined ? '' : `--homedir ${gpg.home} `
  return infrastructureError(
    'SIGNING_FAILED',
    `gpg could not sign with the key ${name} (exit code ${exitCode}): ${said}`,
    `is the card there, does the agent know the passphrase (as this user: gpg ${home}--local-user ${fingerprint} --sign)? A host without people needs passphrase-file, or a key in a file`,
  )
}

function noSecret({ name, fingerprint }: KeyConfig, home: string | null): Error {
  return configurationError(
    'SIGNING_KEY_MISSING',
    `gpg has no secret key of ${name} (${fingerprint}) that may sign${home === null ? '' : ` in ${home}`}`,
    'gpg --list-secret-keys as this user shows what it has; for a card, gpg --card-status makes it known',
  )
}
