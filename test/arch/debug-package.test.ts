import { expect } from 'chai'
import { isDebug } from '../../src/arch/debug-package.js'
import { parsePkginfo } from '../../src/arch/pkginfo.js'

const least = 'pkgver = 1-1\narch = x86_64\n'
const info = (text: string) => parsePkginfo(`${least}${text}`, (why) => new Error(why))
const record = (text: string) => ({ info: info(text), files: [], libraries: [], needs: [] })

describe('a package of debug symbols', () => {
  for (const [what, is, text] of [
    ['says so itself', true, 'pkgname = x-debug\npkgbase = x\nxdata = pkgtype=debug'],
    ['is known by its name where an older makepkg made it', true, 'pkgname = x-debug\npkgbase = x'],
    ['is none that the recipe names itself', false, 'pkgname = x-debug\npkgbase = x\nxdata = pkgtype=split'],
    ['has no other name, whatever it says', false, 'pkgname = y\npkgbase = x\nxdata = pkgtype=debug'],
    ['is none of another recipe', false, 'pkgname = x-debug\npkgbase = y'],
  ] as const) {
    it(what, () => {
      expect(isDebug(record(text))).to.equal(is)
    })
  }
})
