import { Transform } from 'node:stream'

/** Lets through what one recipe has of the log that joinLogs wrote; `names` fills with all that have one. */
export function logSection(recipe: string): Transform & { names: string[] } {
  const names: string[] = []
  let heading = Buffer.alloc(0)
  let left = 0
  let isChosen = false
  const take = (chunk: Buffer, push: (part: Buffer) => void): void => {
    for (let rest = chunk; rest.length > 0;) {
      if (left > 0) {
        const part = rest.subarray(0, left)
        if (isChosen) push(part)
        left -= part.length
        rest = rest.subarray(part.length)
        continue
      }
      const end = rest.indexOf('\n')
      heading = Buffer.concat([heading, end < 0 ? rest : rest.subarray(0, end)])
      if (end < 0) return
      const [, name = '', size = '0'] = /^==> (\S+) \((\d+) bytes\)$/.exec(heading.toString()) ?? []
      if (name !== '') names.push(name)
      isChosen = name === recipe
      left = Number(size)
      heading = Buffer.alloc(0)
      rest = rest.subarray(end + 1)
    }
  }
  const section = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      take(chunk, (part) => this.push(part))
      done()
    },
  })
  return Object.assign(section, { names })
}
