/** Which names a pack may hold: the same for archives, manifests and directories to be packed. */
const MAX_PATH = 4000
const MAX_COMPONENT = 255
const MAX_DEPTH = 64

// eslint-disable-next-line no-control-regex -- these are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f]/
/** what most names are: nothing in them needs a closer look */
const plain = /^[A-Za-z0-9_+@,=:~%#-][ -.0-~]*$/

/** The rule that an entry's path breaks; undefined where it may be taken over. */
export function pathRule(path: string): string | undefined {
  if (path === '') return 'its name is empty'
  if (path.startsWith('/')) return 'its path is absolute'
  if (Buffer.byteLength(path) > MAX_PATH) return `its path is longer than ${MAX_PATH} bytes`
  const parts = path.split('/')
  if (parts.length > MAX_DEPTH) return `it lies deeper than ${MAX_DEPTH} levels`
  for (const part of parts) {
    const rule = componentRule(part)
    if (rule !== undefined) return rule
  }
  return undefined
}

/** The rule that one component of a path breaks. */
export function componentRule(part: string): string | undefined {
  if (part.length <= MAX_COMPONENT && plain.test(part)) return undefined
  if (part === '') return 'its path has an empty component'
  if (part === '.' || part === '..') return `its path has a "${part}" component`
  if (control.test(part)) return 'its name holds a control character'
  if (part.includes('\ufffd')) return 'its name is not valid UTF-8'
  if (Buffer.byteLength(part) > MAX_COMPONENT) return `a component of its path is longer than ${MAX_COMPONENT} bytes`
  return undefined
}

/** The rule about text that the target of a symlink breaks, wherever it points. */
export function targetRule(target: string): string | undefined {
  if (target === '') return 'its target is empty'
  if (control.test(target) || target.includes('\ufffd')) return 'its target holds a control character'
  if (Buffer.byteLength(target) > MAX_PATH) return `its target is longer than ${MAX_PATH} bytes`
  return undefined
}

/**
 * Whether a symlink at `path` leads out of the archive. `..` counts only at the beginning of the target, where it
 * means a real directory: behind a name, that name could be a symlink itself.
 */
export function leaves(path: string, target: string): boolean {
  if (target.startsWith('/')) return true
  const parts = target.split('/').filter((part) => part !== '' && part !== '.')
  const firstName = parts.findIndex((part) => part !== '..')
  const ups = firstName === -1 ? parts.length : firstName
  const depth = path.split('/').length - 1
  return ups > depth || parts.slice(ups).includes('..')
}
