/** Archives by hand: what no honest program writes. */
export interface Member {
  name: string | Buffer
  type?: string
  mode?: number
  link?: string | Buffer
  content?: string | Buffer
  /** what the header says, when it lies */
  size?: number
  sizeField?: Buffer
  /** `gnu` or what else stands in the magic field */
  magic?: string
  breakChecksum?: boolean
}

const BLOCK = 512

export function archive(...members: (Member | Buffer)[]): Buffer {
  return Buffer.concat([...members.map((member) => (Buffer.isBuffer(member) ? member : encode(member))), endMark])
}

export const endMark = Buffer.alloc(2 * BLOCK)

export function encode(member: Member): Buffer {
  const { name, type = '0', mode = 0o644, link = '', content = '', magic = 'ustar\x0000' } = member
  const bytes = Buffer.from(content as string)
  const header = Buffer.alloc(BLOCK)
  Buffer.from(name as string).copy(header, 0, 0, 100)
  header.write(octal(mode, 7), 100)
  header.write(octal(0, 7), 108)
  header.write(octal(0, 7), 116)
  header.write(octal(member.size ?? bytes.length, 11), 124)
  member.sizeField?.copy(header, 124)
  header.write(octal(0, 11), 136)
  header.write(type, 156, 'latin1')
  Buffer.from(link as string).copy(header, 157, 0, 100)
  header.write(magic === 'gnu' ? 'ustar  \0' : magic, 257, 'latin1')
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0) + (member.breakChecksum ? 1 : 0)
  header.write(`${octal(sum, 6)}\0 `, 148)
  return Buffer.concat([header, pad(bytes)])
}

export function directory(name: string): Member {
  return { name, type: '5', mode: 0o755 }
}

export function symlink(name: string, link: string): Member {
  return { name, type: '2', link }
}

/** A pax extended header for the next member (`x`) or for all (`g`). */
export function pax(records: Record<string, string | Buffer>, type = 'x'): Member {
  return { name: 'PaxHeaders/x', type, content: Buffer.concat(Object.entries(records).map(paxRecord)) }
}

function paxRecord([key, value]: [string, string | Buffer]): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as string), Buffer.from('\n')])
  let length = rest.length
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

/** GNU tar's header for a long path (`L`) or link target (`K`) of the next member. */
export function gnuLong(type: 'L' | 'K', value: string): Member {
  return { name: '././@LongLink', type, content: `${value}\0`, magic: 'gnu' }
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])
}
