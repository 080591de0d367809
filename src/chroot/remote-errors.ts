import { configurationError, infrastructureError } from '../model/errors.js'
import { version } from '../system/version.js'
import { type Hello, PROTOCOL } from './remote-protocol.js'

/** @param said what sudo or the program wrote to standard error */
export function notStarted(program: readonly string[], said: string): Error {
  const line = program.join(' ')
  if (/a password is required|not allowed to|is not in the sudoers|may not run sudo/.test(said)) {
    return configurationError(
      'ROOT_PROGRAM_REFUSED',
      `sudo does not let this user run ${line}: ${said}`,
      `let the administrator add to /etc/sudoers.d/treeswap: USER ALL=(root) NOPASSWD: ${line}${program.length === 1 ? ' ""' : ''} (docs/jenkins-agent.md)`,
    )
  }
  if (/command not found|No such file/.test(said)) {
    return configurationError(
      'ROOT_PROGRAM_MISSING',
      `the root program ${program[0] ?? ''} cannot be run: ${said}`,
      'install it as docs/jenkins-agent.md says, with Node.js for all users, or set builder.root-program to where it is',
    )
  }
  return infrastructureError(
    'ROOT_PROGRAM_FAILED',
    `the root program ended before it had answered${said === '' ? '' : `: ${said.split('\n').slice(-5).join(' | ')}`}`,
    'run `treeswap doctor` as this user; see whether memory ran out (dmesg)',
  )
}

export function otherVersion(hello: Hello, program: readonly string[]): Error {
  return configurationError(
    'ROOT_PROGRAM_VERSION',
    `${program.join(' ')} is of treeswap ${hello.version} (protocol ${hello.protocol}), ` +
      `this is treeswap ${version()} (protocol ${PROTOCOL})`,
    'install dist/treeswap-root.mjs of this version in its place (docs/jenkins-agent.md)',
  )
}
