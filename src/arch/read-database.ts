import { gunzipSync } from 'node:zlib'
import { TarParser } from '../artifact/tar-parser.js'
import type { TarSink } from '../artifact/tar-sink.js'
import { publishError } from '../model/errors.js'

/** A package as a database has it. */
export interface ListedPackage {
  name: string
  version: string
  /** name of the package file */
  file: string
  /** all of `desc`, in order: `DEPENDS` → values */
  fields: Map<string, string[]>
  /** what it installs; undefined where the database does not list files */
  files?: string[]
}

/** Unpacked: twice what all of Arch Linux takes. */
const MAX_BYTES = 2 ** 30

/**
 * Reads a database of a repo (db or files, compressed with gzip), from us or from repo-add.
 * @param source named in errors
 * @returns its packages in order of name
 * @throws DATABASE_INVALID
 */
export function readDatabase(content: Buffer, source: string): ListedPackage[] {
  const texts = new Map<string, { desc?: string; files?: string }>()
  const take = (path: string, bytes: Buffer): void => {
    const [, directory, name] = /^([^/]+)\/(desc|files)$/.exec(path) ?? []
    if (directory === undefined || name === undefined) throw invalid(source, `${path} is no part of a package`)
    texts.set(directory, { ...texts.get(directory), [name]: bytes.toString('utf8') })
  }
  try {
    const parser = new TarParser(source, { symlinks: false, maxBytes: MAX_BYTES }, textSink(take))
    parser.push(gunzipSync(content, { maxOutputLength: MAX_BYTES }))
    parser.end()
  } catch (error) {
    throw invalid(source, error instanceof Error ? error.message : 'it cannot be read', error)
  }
  const packages = [...texts].map(([directory, { desc = '', files }]) => readPackage(source, directory, desc, files))
  return packages.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

function readPackage(source: string, directory: string, desc: string, files: string | undefined): ListedPackage {
  const fields = readFields(desc)
  const [name, version, file] = ['NAME', 'VERSION', 'FILENAME'].map((key) => fields.get(key)?.[0])
  if (name === undefined || version === undefined || file === undefined || directory !== `${name}-${version}`) {
    throw invalid(source, `${directory} does not say what package it is`)
  }
  const listed = files === undefined ? undefined : (readFields(files).get('FILES') ?? [])
  return { name, version, file, fields, ...(listed && { files: listed }) }
}

/** `%KEY%`, then values up to an empty line. */
function readFields(text: string): Map<string, string[]> {
  const fields = new Map<string, string[]>()
  let values: string[] | undefined
  for (const line of text.split('\n')) {
    const key = values === undefined ? /^%([A-Z0-9]+)%$/.exec(line)?.[1] : undefined
    if (line === '') values = undefined
    else if (key === undefined) values?.push(line)
    else fields.set(key, (values = []))
  }
  return fields
}

/** Every file as a whole: also a list of files above a MiB. */
function textSink(take: (path: string, content: Buffer) => void): TarSink {
  return {
    directory: nothing,
    symlink: nothing,
    duplicate: nothing,
    file: ({ path }, content) => take(path, content),
    largeFile(path) {
      const chunks: Buffer[] = []
      return {
        write: (chunk) => chunks.push(chunk),
        end: () => take(path, Buffer.concat(chunks)),
        abandon: nothing,
      }
    },
  }
}

function nothing(): void {
  // there is nothing in it for a database
}

function invalid(source: string, why: string, cause?: unknown): Error {
  return publishError(
    'DATABASE_INVALID',
    `${source} is no database of a repo: ${why}`,
    'publish again: databases are written anew for each generation',
    cause,
  )
}
