import { TarBlocks, tarEnd } from '../artifact/tar-blocks.js'
import { armored } from '../signing/openpgp.js'
import type { Signer } from '../signing/signer.js'
import type { MadeFile } from '../store/derived.js'
import { close, open, writeAll } from '../system/files.js'
import { sumsOf } from '../system/hash.js'
import { agrees, digesting, formatManifest, parseManifest } from './gpkg-manifest.js'
import type { FileDigests } from './gpkg-manifest.js'
import { bytesOf, contentOf, MANIFEST, readContainer, readMember, VERSION } from './gpkg.js'
import type { Container, Member, PackageFile } from './gpkg.js'

type Digests = Map<string, Required<FileDigests>>

/**
 * Writes a signed copy of a binary package as `gpkg-sign` does (GLEP 78): behind each file of the container its
 * signature, at the end a Manifest of all of them, signed itself. The files and their names stay as they are, so
 * version, build number and all that Portage knows of the package do; signatures that it has are left out. What was
 * written is read again and verified.
 * @param from a package; what its Manifest does not agree with is refused
 * @param to path that is made
 * @throws ABORTED, what `from` refuses with, what the signer throws, and the file system's own errors
 */
export async function signGpkg(from: PackageFile, to: string, signer: Signer): Promise<MadeFile> {
  const container = readContainer(from)
  const { directory } = container
  if (!/^(?!\.\.?$)[!-~]+$/.test(directory)) throw from.refuse('its directory has another name than packages have')
  const payload = await payloadOf(from, container)
  const signatures = new Map<string, string>()
  for (const member of payload) {
    if (!isSigned(member)) continue
    signatures.set(member.name, await armored(await signer.detached(() => contentOf(from, member))))
  }
  const { made, manifest } = await write({ from, to, directory, payload, signatures, signer })
  await verify({ ...from, path: to }, manifest, signer)
  return made
}

/** The files that go along, each held against the Manifest. */
async function payloadOf(from: PackageFile, { members }: Container): Promise<Member[]> {
  const manifest = members.find(({ name }) => name === MANIFEST)
  const said: Map<string, FileDigests> =
    manifest === undefined
      ? new Map<string, FileDigests>()
      : parseManifest(await readMember(from, manifest), from.refuse)
  const payload = members.filter(({ name }) => name !== MANIFEST && !isSignature(name))
  for (const kind of ['metadata', 'image']) {
    if (!payload.some(({ name }) => name.startsWith(`${kind}.tar`))) throw from.refuse(`it has no ${kind}`)
  }
  for (const name of said.keys()) {
    if (!isSignature(name) && !payload.some((member) => member.name === name)) throw from.refuse(`it lacks ${name}`)
  }
  for (const member of payload) await compare(from, member, said)
  return payload
}

async function compare(file: PackageFile, member: Member, said: ReadonlyMap<string, FileDigests>): Promise<void> {
  const expected = said.get(member.name)
  if (expected === undefined) throw file.refuse(`its Manifest lacks ${member.name}`)
  const found = digesting()
  for await (const chunk of contentOf(file, member)) found.update(chunk)
  if (!agrees(expected, found.digest())) throw file.refuse(`${member.name} is not what its Manifest says`)
}

interface Copy {
  from: PackageFile
  to: string
  directory: string
  payload: readonly Member[]
  /** armored, by the name of what was signed */
  signatures: ReadonlyMap<string, string>
  signer: Signer
}

/** @returns what was made, and the Manifest in it without its signature */
async function write(copy: Copy): Promise<{ made: MadeFile; manifest: string }> {
  const { from, to, directory, payload, signatures, signer } = copy
  const sums = sumsOf('sha256', 'md5', 'sha1')
  const digests: Digests = new Map()
  let size = 0
  const file = open(to, 'wx', 0o644)
  const put = (bytes: Buffer): void => {
    writeAll(file, bytes)
    sums.update(bytes)
    size += bytes.length
  }
  const add = (name: string, content: string): void => {
    const blocks = new TarBlocks()
    blocks.file(`${directory}/${name}`, content)
    put(blocks.bytes)
  }
  try {
    for (const member of payload) {
      const found = digesting()
      for await (const bytes of bytesOf(from, member.start, member.content)) put(bytes)
      for await (const bytes of contentOf(from, member)) {
        put(bytes)
        found.update(bytes)
      }
      for await (const bytes of bytesOf(from, member.content + member.size, member.end)) put(bytes)
      digests.set(member.name, found.digest())
      const signature = signatures.get(member.name)
      if (signature === undefined) continue
      add(`${member.name}${SIGNATURE}`, signature)
      digests.set(`${member.name}${SIGNATURE}`, digestOf(signature))
    }
    const manifest = formatManifest(digests)
    add(MANIFEST, await signer.clear(manifest))
    put(tarEnd(size))
    const { sha256, md5, sha1 } = sums.digest()
    return { made: { path: to, sha256, size, sums: { MD5: md5, SHA1: sha1 } }, manifest }
  } finally {
    close(file)
  }
}

/** Reads a signed package as Portage does: every sum, every signature. */
async function verify(file: PackageFile, manifest: string, signer: Signer): Promise<void> {
  const { members } = readContainer(file)
  const textOf = async (name: string): Promise<string> => {
    const member = members.find((one) => one.name === name)
    if (member === undefined) throw file.refuse(`its signed copy lacks ${name}`)
    return await readMember(file, member)
  }
  await signer.verify.clear(await textOf(MANIFEST), manifest)
  const said = parseManifest(manifest, file.refuse)
  for (const member of members) {
    if (member.name !== MANIFEST) await compare(file, member, said)
    if (!isSigned(member)) continue
    const signature = await textOf(`${member.name}${SIGNATURE}`)
    await signer.verify.detached(signature, () => contentOf(file, member))
  }
}

const SIGNATURE = '.sig'

function isSignature(name: string): boolean {
  return name.endsWith(SIGNATURE)
}

/** Whether a file has a signature of its own. */
function isSigned({ name }: Member): boolean {
  return name !== VERSION && name !== MANIFEST && !isSignature(name)
}

function digestOf(text: string): Required<FileDigests> {
  const found = digesting()
  found.update(Buffer.from(text))
  return found.digest()
}
