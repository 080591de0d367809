import * as z from 'zod'
import type { Access } from './access.js'

/** What goes with requests to the origin of the base URL, and nowhere else. */
export interface Session {
  /** of every request */
  headers(): Record<string, string>
  /** of a POST: a crumb, where one is needed and not known, is fetched */
  postHeaders(): Promise<Record<string, string>>
  /** keeps the cookies of an answer, to which a crumb belongs */
  keepCookies(headers: Headers): void
  /** the next POST fetches a crumb */
  renewCrumb(): void
}

export const crumbSchema = z.object({
  crumb: z.string().regex(/^[!-~]{1,1000}$/),
  crumbRequestField: z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/),
})
type Crumb = z.infer<typeof crumbSchema>

/** @param fetchCrumb undefined where Jenkins asks for none */
export function openSession(access: Access, fetchCrumb: () => Promise<Crumb | undefined>): Session {
  const { user, token, password } = access
  const secret = token ?? password
  const authorization =
    user === undefined || secret === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` }
  const cookies = new Map<string, string>()
  let crumb: Record<string, string> | undefined = token === undefined ? undefined : {}
  const headers = (): Record<string, string> => {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
    return { ...authorization, ...(cookie !== '' && { cookie }) }
  }
  return {
    headers,
    postHeaders: async () => {
      if (crumb === undefined) {
        const fetched = await fetchCrumb()
        crumb = fetched === undefined ? {} : { [fetched.crumbRequestField]: fetched.crumb }
      }
      return { ...headers(), ...crumb }
    },
    keepCookies: (from) => {
      for (const line of from.getSetCookie()) {
        const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([!-:<-~]*)/.exec(line) ?? []
        if (name !== undefined && value !== undefined && cookies.size < 50) cookies.set(name, value)
      }
    },
    renewCrumb: () => (crumb = undefined),
  }
}
