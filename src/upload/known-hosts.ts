import { createHmac } from 'node:crypto'

/** What a known_hosts file says of one host. Keys are blobs as they go over the wire (RFC 4253, 6.6). */
export interface KnownKeys {
  accepted: Buffer[]
  /** never to be accepted, whatever else the file says */
  revoked: Buffer[]
}

/**
 * Reads the lines of a known_hosts file that are about one host (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): names with
 * `*` and `?`, `!` before them, `[host]:port`, hashed names. Certificate authorities are left out: nothing here checks
 * certificates. A server at another port than 22 is only known as `[host]:port`.
 */
export function knownKeys(text: string, host: string, port: number): KnownKeys {
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
  const known: KnownKeys = { accepted: [], revoked: [] }
  for (const line of text.split(/\r?\n/)) {
    const fields = line.trim().split(/[ \t]+/)
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined
    const [hosts = '', type = '', base64 = ''] = fields
    if (hosts === '' || hosts.startsWith('#') || !names(hosts, name)) continue
    const key = keyOf(type, base64)
    if (key === undefined) continue
    if (marker === undefined) known.accepted.push(key)
    else if (marker === '@revoked') known.revoked.push(key)
  }
  return known
}

/** The algorithm that a key's blob begins with: `ssh-ed25519`; undefined where it is no key. */
export function keyType(key: Buffer): string | undefined {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0)
  return length > 0 && length <= 64 && key.length > 4 + length ? key.toString('latin1', 4, 4 + length) : undefined
}

function keyOf(type: string, base64: string): Buffer | undefined {
  const key = Buffer.from(base64, 'base64')
  return keyType(key) === type ? key : undefined
}

function names(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return isHashOf(hosts, name)
  let named = false
  for (const pattern of hosts.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!')
    if (!matches(negated ? pattern.slice(1) : pattern, name)) continue
    if (negated) return false
    named = true
  }
  return named
}

/** `|1|SALT|HASH`, both base64: HMAC-SHA1 of the name */
function isHashOf(hashed: string, name: string): boolean {
  const [, version, salt = '', hash] = hashed.split('|')
  if (version !== '1') return false
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
}

/** Step by step, because an expression made of a pattern may take for ever. */
function matches(pattern: string, name: string): boolean {
  let [at, star, retry] = [0, -1, 0]
  let index = 0
  while (index < name.length) {
    const wanted = pattern[at]
    if (wanted === '*') {
      star = at++
      retry = index
    } else if (wanted !== undefined && (wanted === '?' || wanted === name[index])) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++retry
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
