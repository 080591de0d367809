/** Text as it is signed: no blanks at the ends of lines (RFC 9580, section 7.2), one line feed between them. */
export function signedText(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(/[ \t\r]+$/, ''))
    .join('\n')
}

/**
 * The cleartext signature framework (RFC 9580, section 7).
 * @param text as signedText makes it
 * @param signature armored, of type text, with SHA512
 */
export function clearSigned(text: string, signature: string): string {
  const escaped = text.replace(/^-/gm, '- -')
  const body = signature.replaceAll('\r\n', '\n')
  return `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${escaped}\n${body}`
}
