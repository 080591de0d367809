/** This process's environment variables that have a value. */
export function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
}

/** Credentials, and the file with one: for this program alone. */
const PRIVATE = [
  'TREESWAP_JENKINS_USER',
  'TREESWAP_JENKINS_TOKEN',
  'TREESWAP_JENKINS_PASSWORD',
  'TREESWAP_SSH_KEY',
  'TREESWAP_SIGNING_KEY',
  'TREESWAP_SIGNING_PASSPHRASE',
] as const
const taken = new Map<string, string>()

/** Takes credentials out of the environment, which every program that is started inherits. To be called first. */
export function hideCredentials(): void {
  PRIVATE.forEach(hide)
}

function hide(name: string): void {
  const value = process.env[name]
  if (value === '') taken.delete(name)
  else if (value !== undefined) taken.set(name, value)
  Reflect.deleteProperty(process.env, name)
}

/** The file of the private key with which a publisher is asked. */
export function sshKeyFile(): string | undefined {
  hideCredentials()
  return taken.get('TREESWAP_SSH_KEY')
}

/** The file of the secret key that signs, and its passphrase. */
export function signingEnvironment(): Partial<Record<'keyFile' | 'passphrase', string>> {
  hideCredentials()
  const keyFile = taken.get('TREESWAP_SIGNING_KEY')
  const passphrase = taken.get('TREESWAP_SIGNING_PASSPHRASE')
  return { ...(keyFile !== undefined && { keyFile }), ...(passphrase !== undefined && { passphrase }) }
}

/** What the environment says of a Jenkins and of the user that asks it. */
export function jenkinsEnvironment(): Partial<Record<'url' | 'user' | 'token' | 'password', string>> {
  hideCredentials()
  const values = {
    url: process.env.JENKINS_URL,
    user: taken.get('TREESWAP_JENKINS_USER'),
    token: taken.get('TREESWAP_JENKINS_TOKEN'),
    password: taken.get('TREESWAP_JENKINS_PASSWORD'),
  }
  return Object.fromEntries(
    Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== ''),
  )
}
