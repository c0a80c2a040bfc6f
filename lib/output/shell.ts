/** Text for people to copy into a shell. */

/** A word of a command line: quoted where a shell would take it for more. */
export function shellWord(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
