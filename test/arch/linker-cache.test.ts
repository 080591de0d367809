import { expect } from 'chai'
import { parseLibrary, withoutClass } from '../../src/arch/linker-cache.js'

describe('a line of what the dynamic linker knows', () => {
  for (const [line, soname] of [
    ['\tlibz.so.1 (libc6,x86-64) => /usr/lib/libz.so.1.3', 'libz.so.1=64'],
    ['\tlibz.so.1 (libc6) => /usr/lib32/libz.so.1.3', 'libz.so.1=32'],
    ['libz.so.1 (libc6,x32) => /usr/libx32/libz.so.1', 'libz.so.1=32'],
    ['libm.so.6 (libc6,AArch64, OS ABI: Linux 3.7.0) => /usr/lib/libm.so.6', 'libm.so.6=64'],
    ['libm.so.6 (libc6,hard-float) => /usr/lib/libm.so.6', 'libm.so.6=32'],
  ] as const) {
    it(`says ${soname}: ${line.trim()}`, () => {
      expect(parseLibrary(line)?.soname).to.equal(soname)
    })
  }

  it('is told from others, and names the file', () => {
    expect(parseLibrary("318 libs found in cache `/etc/ld.so.cache'")).to.equal(undefined)
    expect(parseLibrary('/usr/lib/libz.so.1.3 is owned by zlib 1:1.3-2')).to.equal(undefined)
    expect(parseLibrary('libz.so.1 (libc6,x86-64) => /usr/lib/libz.so.1.3')?.path).to.equal('/usr/lib/libz.so.1.3')
  })

  it('is asked for by name, once for both classes', () => {
    expect(withoutClass(['libz.so.1=32', 'libz.so.1=64', 'libc.so.6=64'])).to.deep.equal(['libz.so.1', 'libc.so.6'])
  })
})
