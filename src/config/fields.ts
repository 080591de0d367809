import * as z from 'zod'
import { gitUrlProblem } from './urls.js'

/** Attaches the text of the reference and of editors. */
export function describe<T extends z.ZodType>(type: T, text: string): T {
  return type.describe(text)
}

/** @param problem what is wrong with a value, as a sentence; undefined when nothing is */
export function checked(problem: (value: string) => string | undefined) {
  return z.string().superRefine((value, context) => {
    const message = problem(value)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
}

export function positive(value: number): boolean {
  return value > 0
}

export const path = z
  .string()
  .min(1, 'a path is missing here')
  .regex(/^[^\0]*$/)

export const gitUrl = checked(gitUrlProblem)

export const branch = z
  .string()
  .regex(/^(?![-/.])(?!.*(\.\.|@\{|\/\/|\.lock$|[/.]$))[^\s~^:?*[\\\p{Cc}]+$/u, 'this is no name of a git branch')
  .optional()
  .describe("Branch to follow. Default: the remote repository's own default branch.")

export const pathInRepository = z
  .string()
  .regex(/^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\0]+$/, 'write a path inside the repository, without ".."')

export const sshHost = z
  .string()
  .regex(/^([A-Za-z0-9][A-Za-z0-9.-]*|[0-9A-Fa-f:]+)$/, 'write the name or address of a host')

export const sshUser = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'write the name of a user')

/** Type and key, as OpenSSH writes them. */
export const sshHostKey = z.string().regex(/^(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}$/, {
  error: 'write the type and the key as they are in /etc/ssh/ssh_host_ed25519_key.pub, without the comment',
})
