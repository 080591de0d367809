const ESCAPE = '\u001b'
const BELL = '\u0007'
/** CSI and OSC sequences (ECMA-48), and any other escape */
const sequences = new RegExp(`${ESCAPE}(\\[[0-?]*[ -/]*[@-~]|\\][^${BELL}${ESCAPE}]*(${BELL}|${ESCAPE}\\\\)?|.)?`, 'g')

/** What comes from elsewhere must not steer the terminal: colours and other control sequences are left out. */
export function printable(text: string): string {
  return text.replace(sequences, '').replace(/(?!\t)\p{Cc}/gu, '')
}

/** The same, keeping line breaks. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
