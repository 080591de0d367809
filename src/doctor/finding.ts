/** One thing that a role needs of this host. */
export interface Finding {
  role: Role
  name: string
  /** warn: it works, but less well */
  status: 'ok' | 'warn' | 'fail'
  /** what was found */
  detail: string
  /** how to mend it; absent where nothing is wrong */
  hint?: string
}

/** build: makes builds in chroots. publish: keeps builds and makes generations. serve: gives them to clients. */
export type Role = 'build' | 'publish' | 'serve'

export function ok(role: Role, name: string, detail: string): Finding {
  return { role, name, status: 'ok', detail }
}

export function warn(role: Role, name: string, detail: string, hint: string): Finding {
  return { role, name, status: 'warn', detail, hint }
}

export function fail(role: Role, name: string, detail: string, hint: string): Finding {
  return { role, name, status: 'fail', detail, hint }
}
