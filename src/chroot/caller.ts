/** Whom root works for: whose directories are lent to containers, and whose everything is that comes back. */
export interface Caller {
  uid: number
  gid: number
  /** directories in which everything lies that may be lent; undefined: wherever the caller likes, who is root itself */
  below?: readonly string[]
  /** whether a uid belonged to a root that was removed, so that what it left may be lent again */
  abandoned?: (uid: number) => boolean
}

/** This process's own user. */
export function ownCaller(): Caller {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
}

/** Whether root may treat a directory that this user owns as the caller's. Root itself may treat everything so. */
export function isCallers(uid: number, caller: Caller): boolean {
  return caller.below === undefined || uid === caller.uid || caller.abandoned?.(uid) === true
}

/** Whether this process may do by itself what needs root. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0
}
